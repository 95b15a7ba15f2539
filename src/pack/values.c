#include "pack/values.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"
#include "pack/density.h"

#define CLASSES 3

/* A kind of bit, and the effects of what stands before it. */
typedef struct values_bit {
    density_effect all, left[CLASSES], up[CLASSES];
} values_bit;

typedef struct values_model {
    values_bit zero, sign, tree[PACK_VALUE_TREE_LEVELS], exponent[PACK_VALUE_EXPONENTS],
        mantissa[PACK_VALUE_EXPONENTS][2];
    density_effect *row_sign, *row_size, *column_sign, *column_size;
    int32_t *above; /* [columns]: the last value of each */
    uint32_t levels;
    bool has_zero;
} values_model;

/* Where a value stands and what stands before it. */
typedef struct values_place {
    size_t row, column;
    int32_t left, up;
} values_place;

static void start_bits(values_bit *bits, size_t count) {
    for (size_t i = 0; i < count; i++) {
        density_start(&bits[i].all, 1, PACK_VALUE_BIT_VARIANCE);
        density_start(bits[i].left, CLASSES, PACK_VALUE_BEFORE_VARIANCE);
        density_start(bits[i].up, CLASSES, PACK_VALUE_BEFORE_VARIANCE);
    }
}

static bool model_create(values_model *m, size_t rows, size_t columns) {
    density_effect **const places[] = {&m->row_sign, &m->row_size, &m->column_sign,
                                       &m->column_size};
    start_bits(&m->zero, 1);
    start_bits(&m->sign, 1);
    start_bits(m->tree, PACK_VALUE_TREE_LEVELS);
    start_bits(m->exponent, PACK_VALUE_EXPONENTS);
    for (size_t i = 0; i < PACK_VALUE_EXPONENTS; i++)
        start_bits(m->mantissa[i], 2);
    m->above = base_array(columns, sizeof *m->above);
    bool whole = m->above != NULL;
    for (size_t i = 0; i < 4; i++) {
        *places[i] = base_array(i < 2 ? rows : columns, sizeof **places[i]);
        density_start(*places[i], i < 2 ? rows : columns, PACK_VALUE_PLACE_VARIANCE);
        whole &= *places[i] != NULL;
    }
    return whole;
}

static void model_free(values_model *m) {
    base_free(m->above);
    base_free(m->row_sign);
    base_free(m->row_size);
    base_free(m->column_sign);
    base_free(m->column_size);
    base_free(m);
}

static unsigned sign_class(int32_t code) {
    return code == 0 ? 0 : code > 0 ? 1 : 2;
}

static unsigned size_class(int32_t code) {
    return code == 0 ? 0 : abs(code) == 1 ? 1 : 2;
}

static unsigned code_size_bit(coder *c, values_model *m, values_bit *b, values_place at,
                              unsigned bit) {
    density_effect *effects[] = {&b->all, &b->left[size_class(at.left)], &b->up[size_class(at.up)],
                                 &m->row_size[at.row], &m->column_size[at.column]};
    return density_code(c, effects, 5, bit);
}

static unsigned code_sign(coder *c, values_model *m, values_place at, unsigned negative) {
    values_bit *b = &m->sign;
    density_effect *effects[] = {&b->all, &b->left[sign_class(at.left)], &b->up[sign_class(at.up)],
                                 &m->row_sign[at.row], &m->column_sign[at.column]};
    return density_code(c, effects, 5, negative);
}

/* Magnitude less 1, below m->levels <= PACK_VALUE_TREE_LEVELS. */
static uint32_t code_tree(coder *c, values_model *m, values_place at, uint32_t value) {
    uint32_t node = 1;
    unsigned depth = 0;
    while (UINT32_C(1) << depth < m->levels)
        depth++;
    for (unsigned i = depth; i-- > 0;)
        node = node << 1 | code_size_bit(c, m, &m->tree[node], at, value >> i & 1U);
    return node - (UINT32_C(1) << depth);
}

/* Magnitude (at least 1) as number of bits and the bits below the first. */
static uint32_t code_large(coder *c, values_model *m, values_place at, uint32_t value) {
    unsigned bits = 0;
    while (bits < PACK_VALUE_EXPONENTS - 1 &&
           code_size_bit(c, m, &m->exponent[bits], at, (value >> (bits + 1)) != 0))
        bits++;
    uint32_t result = 1;
    for (unsigned i = bits; i-- > 0;) {
        unsigned bit = value >> i & 1U;
        unsigned from_top = bits - 1 - i;
        bit = from_top < 2 ? code_size_bit(c, m, &m->mantissa[bits][from_top], at, bit)
                           : coder_bit(c, bit, CODER_ONE / 2);
        result = result << 1 | bit;
    }
    return result;
}

static int32_t code_value(coder *c, values_model *m, values_place at, int32_t code) {
    uint32_t magnitude = (uint32_t)abs(code);
    if (m->has_zero && code_size_bit(c, m, &m->zero, at, code == 0))
        return 0;
    unsigned negative = code_sign(c, m, at, code < 0);
    if (m->levels == 1)
        magnitude = 1;
    else if (m->levels <= PACK_VALUE_TREE_LEVELS)
        magnitude = code_tree(c, m, at, magnitude - 1) + 1;
    else
        magnitude = code_large(c, m, at, magnitude);
    return negative ? -(int32_t)magnitude : (int32_t)magnitude;
}

admmnn_status values_code(coder *c, size_t rows, size_t columns, uint32_t levels, bool has_zero,
                          const uint8_t *mask, int32_t *codes, admmnn_error *err) {
    values_model *m = base_array(1, sizeof *m);
    if (m == NULL)
        return base_fail_memory(err, "the values' model");
    if (!model_create(m, rows, columns)) {
        model_free(m);
        return base_fail_memory(err, "the values' model");
    }
    m->levels = levels;
    m->has_zero = has_zero;
    for (size_t row = 0; row < rows && !coder_failed(c); row++) {
        int32_t left = 0;
        for (size_t column = 0; column < columns && !coder_failed(c); column++) {
            size_t i = row * columns + column;
            if (mask[i] == 0)
                continue;
            const values_place at = {row, column, left, m->above[column]};
            left = m->above[column] = codes[i] = code_value(c, m, at, codes[i]);
        }
    }
    model_free(m);
    if (coder_failed(c))
        return base_fail(err, ADMMNN_CORRUPT, "the range-coded bytes end early");
    return ADMMNN_OK;
}
