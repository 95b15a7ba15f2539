/* The values of kept weights, biases and all else. */
#include <stdlib.h>
#include <string.h>

#include "tensor.h"

/* ---- Huffman codes: canonical, known by their lengths ---- */

struct rt_huffman {
    uint8_t lengths[PACK_HUFFMAN_SYMBOLS_MAX];
    /* By length: the first code, the codes there are, and where their symbols stand in order. */
    uint32_t first[PACK_HUFFMAN_LENGTH_MAX + 1], counts[PACK_HUFFMAN_LENGTH_MAX + 1];
    uint32_t starts[PACK_HUFFMAN_LENGTH_MAX + 1];
    uint16_t order[PACK_HUFFMAN_SYMBOLS_MAX];
};

/* False where the lengths describe no prefix code. */
static bool huffman_prepare(struct rt_huffman *h, uint32_t symbols) {
    uint32_t code = 0;
    uint32_t ordered = 0;
    for (unsigned length = 1; length <= PACK_HUFFMAN_LENGTH_MAX; length++) {
        code <<= 1;
        h->first[length] = code;
        h->starts[length] = ordered;
        for (uint32_t s = 0; s < symbols; s++)
            if (h->lengths[s] == length)
                h->order[ordered++] = (uint16_t)s;
        h->counts[length] = ordered - h->starts[length];
        code += h->counts[length];
        if (code > (uint32_t)1 << length)
            return false;
    }
    return true;
}

static bool huffman_read_lengths(struct rt_huffman *h, uint32_t symbols, rt_bits *plain) {
    for (uint32_t s = 0; s < symbols; s++)
        h->lengths[s] = (uint8_t)rt_read_bits(plain, 4);
    return !plain->failed && huffman_prepare(h, symbols);
}

/* UINT32_MAX where the bits name no symbol. */
static uint32_t huffman_read(const struct rt_huffman *h, rt_bits *plain) {
    uint32_t code = 0;
    for (unsigned length = 1; length <= PACK_HUFFMAN_LENGTH_MAX && !plain->failed; length++) {
        code = code << 1 | rt_read_bits(plain, 1);
        if (!plain->failed && code >= h->first[length] &&
            code - h->first[length] < h->counts[length])
            return h->order[h->starts[length] + code - h->first[length]];
    }
    return UINT32_MAX;
}

/* ---- the range coder ---- */

#define CLASSES 3

/* A kind of bit, and the effects of what stands before it. */
typedef struct value_bit {
    rt_effect all, left[CLASSES], up[CLASSES];
} value_bit;

struct rt_values_model {
    value_bit zero, sign, tree[PACK_VALUE_TREE_LEVELS], exponent[PACK_VALUE_EXPONENTS],
        mantissa[PACK_VALUE_EXPONENTS][2];
    rt_effect *row_sign, *row_size, *column_sign, *column_size;
    int32_t *above; /* [columns]: the last code of each */
};

/* Where a value stands and what stands before it. */
typedef struct value_place {
    uint32_t row, column;
    int32_t left, up;
} value_place;

static void start_bits(value_bit *bits, size_t count) {
    for (size_t i = 0; i < count; i++) {
        rt_effects_start(&bits[i].all, 1, PACK_VALUE_BIT_VARIANCE);
        rt_effects_start(bits[i].left, CLASSES, PACK_VALUE_BEFORE_VARIANCE);
        rt_effects_start(bits[i].up, CLASSES, PACK_VALUE_BEFORE_VARIANCE);
    }
}

static rt_effect *place_effects(rt_memory *memory, size_t count) {
    rt_effect *effects = rt_scratch(memory, count, sizeof *effects);
    if (effects != NULL)
        rt_effects_start(effects, count, PACK_VALUE_PLACE_VARIANCE);
    return effects;
}

static rt_values_model *model_create(rt_memory *memory, const rt_tensor *tensor) {
    rt_values_model *m = rt_scratch(memory, 1, sizeof *m);
    if (m == NULL)
        return NULL;
    start_bits(&m->zero, 1);
    start_bits(&m->sign, 1);
    start_bits(m->tree, PACK_VALUE_TREE_LEVELS);
    start_bits(m->exponent, PACK_VALUE_EXPONENTS);
    for (size_t i = 0; i < PACK_VALUE_EXPONENTS; i++)
        start_bits(m->mantissa[i], 2);
    m->row_sign = place_effects(memory, tensor->rows);
    m->row_size = place_effects(memory, tensor->rows);
    m->column_sign = place_effects(memory, tensor->columns);
    m->column_size = place_effects(memory, tensor->columns);
    m->above = rt_scratch(memory, tensor->columns, sizeof *m->above);
    const bool whole = m->row_sign != NULL && m->row_size != NULL && m->column_sign != NULL &&
                       m->column_size != NULL && m->above != NULL;
    return whole ? m : NULL;
}

static unsigned sign_class(int32_t code) {
    return code == 0 ? 0 : code > 0 ? 1 : 2;
}

static unsigned size_class(int32_t code) {
    return code == 0 ? 0 : abs(code) == 1 ? 1 : 2;
}

static unsigned read_size_bit(rt_coder *c, rt_values_model *m, value_bit *b,
                              const value_place *at) {
    rt_effect *effects[] = {&b->all, &b->left[size_class(at->left)], &b->up[size_class(at->up)],
                            &m->row_size[at->row], &m->column_size[at->column]};
    return rt_effects_bit(c, effects, 5);
}

static unsigned read_sign(rt_coder *c, rt_values_model *m, const value_place *at) {
    value_bit *b = &m->sign;
    rt_effect *effects[] = {&b->all, &b->left[sign_class(at->left)], &b->up[sign_class(at->up)],
                            &m->row_sign[at->row], &m->column_sign[at->column]};
    return rt_effects_bit(c, effects, 5);
}

/* Magnitude less 1, of at most PACK_VALUE_TREE_LEVELS levels. */
static uint32_t read_tree(rt_coder *c, rt_values_model *m, const value_place *at, uint32_t levels) {
    uint32_t node = 1;
    unsigned depth = 0;
    while ((uint32_t)1 << depth < levels)
        depth++;
    for (unsigned i = 0; i < depth; i++)
        node = node << 1 | read_size_bit(c, m, &m->tree[node], at);
    return node - ((uint32_t)1 << depth);
}

/* Magnitude as number of bits and the bits below the first. */
static uint32_t read_large(rt_coder *c, rt_values_model *m, const value_place *at) {
    unsigned bits = 0;
    while (bits < PACK_VALUE_EXPONENTS - 1 && read_size_bit(c, m, &m->exponent[bits], at) != 0)
        bits++;
    uint32_t result = 1;
    for (unsigned from_top = 0; from_top < bits; from_top++) {
        const unsigned bit = from_top < 2 ? read_size_bit(c, m, &m->mantissa[bits][from_top], at)
                                          : rt_coder_bit(c, 32768);
        result = result << 1 | bit;
    }
    return result;
}

static int32_t read_code(rt_values *v, const value_place *at) {
    rt_coder *c = &v->from->range;
    rt_values_model *m = v->model;
    uint32_t magnitude = 1;
    if (v->zero && read_size_bit(c, m, &m->zero, at) != 0)
        return 0;
    const unsigned negative = read_sign(c, m, at);
    if (v->levels > PACK_VALUE_TREE_LEVELS)
        magnitude = read_large(c, m, at);
    else if (v->levels > 1)
        magnitude = read_tree(c, m, at, v->levels) + 1;
    return negative != 0 ? -(int32_t)magnitude : (int32_t)magnitude;
}

/* ---- any of them ---- */

admmnn_runtime_status rt_values_start(rt_values *v, rt_sources *from, const rt_tensor *tensor) {
    const rt_values none = {from, tensor, 0, 0, false, NULL, NULL, 0, 0};
    rt_memory *memory = from->opening->memory;
    *v = none;
    if (!tensor->levels)
        return ADMMNN_RUNTIME_OK;
    v->zero = rt_level_zero(tensor) && tensor->places == PACK_PLACES_DENSE;
    v->levels = rt_level_count(tensor);
    v->symbols = 2 * v->levels + (v->zero ? 1 : 0);
    if (tensor->symbols == PACK_SYMBOLS_RANGE) {
        v->model = model_create(memory, tensor);
        return v->model != NULL ? ADMMNN_RUNTIME_OK : rt_sources_memory(from);
    }
    if (tensor->symbols == PACK_SYMBOLS_FIXED)
        return ADMMNN_RUNTIME_OK;
    v->code = rt_scratch(memory, 1, sizeof *v->code);
    if (v->code == NULL)
        return rt_sources_memory(from);
    if (!huffman_read_lengths(v->code, v->symbols, &from->plain))
        return rt_sources_corrupt(from, "code lengths that make no code");
    return ADMMNN_RUNTIME_OK;
}

static int32_t code_of(const rt_values *v, uint32_t symbol) {
    if (v->zero)
        return (int32_t)symbol - (int32_t)v->levels;
    return symbol < v->levels ? (int32_t)symbol + 1 : -(int32_t)(symbol - v->levels + 1);
}

static admmnn_runtime_status next_symbol(rt_values *v, int32_t *code) {
    rt_bits *plain = &v->from->plain;
    const uint32_t symbol =
        v->code != NULL ? huffman_read(v->code, plain) : rt_read_bits(plain, v->tensor->bits);
    if (plain->failed || symbol >= v->symbols)
        return rt_sources_corrupt(v->from, "a value beyond the levels, or an early end");
    *code = code_of(v, symbol);
    return ADMMNN_RUNTIME_OK;
}

static admmnn_runtime_status next_range(rt_values *v, uint32_t row, uint32_t column,
                                        int32_t *code) {
    const value_place at = {row, column, row == v->row ? v->left : 0, v->model->above[column]};
    *code = read_code(v, &at);
    v->row = row;
    v->left = v->model->above[column] = *code;
    if (rt_coder_failed(&v->from->range) || (uint32_t)abs(*code) > v->levels)
        return rt_sources_corrupt(v->from, "a value beyond the levels, or an early end");
    return ADMMNN_RUNTIME_OK;
}

admmnn_runtime_status rt_values_next(rt_values *v, uint32_t row, uint32_t column, int32_t *code,
                                     float *value) {
    if (!v->tensor->levels) {
        *value = rt_float_of(rt_read_bits(&v->from->plain, 32));
        return v->from->plain.failed ? rt_sources_corrupt(v->from, "values end early")
                                     : ADMMNN_RUNTIME_OK;
    }
    RT_TRY(v->model != NULL ? next_range(v, row, column, code) : next_symbol(v, code));
    if (*code != 0 && v->tensor->step == 0.0F)
        return rt_sources_corrupt(v->from, "values of an interval of 0 that are not 0");
    *value = *code == 0 ? 0.0F : rt_level_value(v->tensor, *code);
    return ADMMNN_RUNTIME_OK;
}
