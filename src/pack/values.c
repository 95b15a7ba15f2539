#include "pack/values.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"

#define LIMIT 120U
/* Magnitudes up to this are coded by a tree of their own, larger ones by their
 * number of bits and the bits below the first, of which the upper two adapt. */
#define TREE_LEVELS 16U

typedef struct values_model {
    coder_slot zero[3];
    coder_slot sign[3][3];
    coder_slot tree[3][TREE_LEVELS];
    coder_slot exponent[16], mantissa[16][2];
    uint32_t levels;
    bool has_zero;
} values_model;

static void model_start(values_model *m, uint32_t levels, bool has_zero) {
    coder_slot half = coder_slot_make(CODER_ONE / 2);
    coder_slot *slots[] = {m->zero, m->sign[0], m->tree[0], m->exponent, m->mantissa[0]};
    const size_t counts[] = {3, 9, 3 * TREE_LEVELS, 16, 32};
    for (size_t k = 0; k < sizeof slots / sizeof slots[0]; k++)
        for (size_t i = 0; i < counts[k]; i++)
            slots[k][i] = half;
    m->levels = levels;
    m->has_zero = has_zero;
}

/* Magnitude less 1, below m->levels <= TREE_LEVELS. */
static uint32_t code_tree(coder *c, values_model *m, uint32_t value, unsigned context) {
    uint32_t node = 1;
    unsigned depth = 0;
    while (UINT32_C(1) << depth < m->levels)
        depth++;
    for (unsigned i = depth; i-- > 0;)
        node = node << 1 | coder_slot_bit(c, &m->tree[context][node & (TREE_LEVELS - 1)],
                                          value >> i & 1U, LIMIT);
    return node - (UINT32_C(1) << depth);
}

/* Magnitude (at least 1) as number of bits and the bits below the first. */
static uint32_t code_large(coder *c, values_model *m, uint32_t value) {
    unsigned bits = 0;
    while (bits < 15 && coder_slot_bit(c, &m->exponent[bits], (value >> (bits + 1)) != 0, LIMIT))
        bits++;
    uint32_t result = 1;
    for (unsigned i = bits; i-- > 0;) {
        unsigned bit = value >> i & 1U;
        unsigned from_top = bits - 1 - i;
        bit = from_top < 2 ? coder_slot_bit(c, &m->mantissa[bits][from_top], bit, LIMIT)
                           : coder_bit(c, bit, CODER_ONE / 2);
        result = result << 1 | bit;
    }
    return result;
}

static unsigned sign_class(int32_t code) {
    return code == 0 ? 0 : code > 0 ? 1 : 2;
}

static int32_t code_value(coder *c, values_model *m, int32_t code, int32_t left, int32_t up) {
    uint32_t magnitude = (uint32_t)abs(code);
    if (m->has_zero && coder_slot_bit(c, &m->zero[left == 0], code == 0, LIMIT))
        return 0;
    unsigned negative =
        coder_slot_bit(c, &m->sign[sign_class(left)][sign_class(up)], code < 0, LIMIT);
    unsigned context = left == 0 ? 0 : abs(left) == 1 ? 1 : 2;
    if (m->levels == 1)
        magnitude = 1;
    else if (m->levels <= TREE_LEVELS)
        magnitude = code_tree(c, m, magnitude - 1, context) + 1;
    else
        magnitude = code_large(c, m, magnitude);
    return negative ? -(int32_t)magnitude : (int32_t)magnitude;
}

admmnn_status values_code(coder *c, size_t rows, size_t columns, uint32_t levels, int has_zero,
                          const uint8_t *mask, int32_t *codes, admmnn_error *err) {
    values_model *m = base_array(1, sizeof *m);
    int32_t *above = base_array(columns, sizeof *above);
    if (m == NULL || above == NULL) {
        base_free(m);
        base_free(above);
        return base_fail_memory(err, "the values' model");
    }
    model_start(m, levels, has_zero != 0);
    for (size_t row = 0; row < rows && !coder_failed(c); row++) {
        int32_t left = 0;
        for (size_t column = 0; column < columns && !coder_failed(c); column++) {
            size_t i = row * columns + column;
            if (mask != NULL && mask[i] == 0)
                continue;
            codes[i] = code_value(c, m, codes[i], left, above[column]);
            left = codes[i];
            above[column] = codes[i];
        }
    }
    base_free(m);
    base_free(above);
    if (coder_failed(c))
        return base_fail(err, ADMMNN_CORRUPT, "the range-coded bytes end early");
    return ADMMNN_OK;
}
