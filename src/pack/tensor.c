#include "pack/tensor.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "pack/format.h"
#include "pack/huffman.h"
#include "pack/values.h"

/* Of a matmul's weight, and of operands that are no weights, places are all alike. */
tensor_shape tensor_shape_of(const graph *g, uint32_t parameter) {
    const graph_parameter *p = &g->parameters[parameter];
    tensor_shape shape = {.count = p->count, .matrix = {p->rows, p->columns, 1, 1, false}};
    if (p->kind != GRAPH_WEIGHT || p->node == GRAPH_NONE)
        return shape;
    const graph_node *node = &g->nodes[p->node];
    const graph_window *w = graph_node_window(node);
    if (w != NULL) {
        shape.matrix.block = (size_t)w->kernel[0] * w->kernel[1];
        shape.matrix.width = w->kernel[1];
    } else if (node->op == GRAPH_INNER_PRODUCT) {
        const graph_shape in = graph_operand_shape(g, node, 0);
        shape.matrix.block = p->columns / graph_shape_channels(in);
        shape.matrix.width = graph_shape_width(in);
    }
    return shape;
}

static bool zero_is_coded(const pack_tensor *tensor, tensor_plan plan) {
    bool kind = admm_levels_have_zero(tensor->levels);
    return plan.positions == PACK_POSITION_DENSE && kind;
}

/* ---- symbols ---- */

static uint32_t symbol_of(int32_t code, uint32_t levels, bool zero) {
    if (zero)
        return (uint32_t)(code + (int32_t)levels);
    return code > 0 ? (uint32_t)code - 1 : levels + (uint32_t)-code - 1;
}

static int32_t code_of(uint32_t symbol, uint32_t levels, bool zero) {
    if (zero)
        return (int32_t)symbol - (int32_t)levels;
    return symbol < levels ? (int32_t)symbol + 1 : -(int32_t)(symbol - levels + 1);
}

static uint32_t symbol_count(uint32_t levels, bool zero) {
    return 2 * levels + (zero ? 1 : 0);
}

bool tensor_coder_fits(const pack_tensor *tensor, tensor_plan plan) {
    if (tensor->form == PACK_FLOAT32)
        return plan.values == PACK_CODER_FIXED;
    uint32_t symbols =
        symbol_count(admm_level_count(tensor->levels, tensor->bits), zero_is_coded(tensor, plan));
    if (plan.values == PACK_CODER_FIXED)
        return symbols <= UINT32_C(1) << tensor->bits;
    return plan.values == PACK_CODER_RANGE || symbols <= HUFFMAN_SYMBOLS_MAX;
}

bool tensor_plan_fits(const pack_tensor *tensor, size_t count, tensor_plan plan) {
    if (!tensor_coder_fits(tensor, plan))
        return false;
    if (tensor->form == PACK_FLOAT32 || plan.positions != PACK_POSITION_DENSE ||
        zero_is_coded(tensor, plan))
        return true;
    for (size_t i = 0; i < count; i++)
        if (tensor->codes[i] == 0)
            return false;
    return true;
}

void tensor_mask(const pack_tensor *tensor, size_t count, uint8_t *mask) {
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = 0;
        if (tensor->form == PACK_LEVELS)
            bits = tensor->codes[i] != 0;
        else
            memcpy(&bits, &tensor->values[i], sizeof bits);
        mask[i] = bits != 0;
    }
}

/* ---- relative indices ---- */

/* Entries at each width, escapes included. */
typedef struct entry_counts {
    uint64_t of[PACK_WIDTH_MAX + 1];
} entry_counts;

static uint64_t escape_of(unsigned width) {
    return (UINT64_C(1) << width) - 1;
}

static void count_gap(entry_counts *entries, uint64_t gap) {
    unsigned width = 1;
    for (; width <= PACK_WIDTH_MAX && gap >= escape_of(width); width++)
        entries->of[width] += gap / escape_of(width) + 1;
    for (; width <= PACK_WIDTH_MAX; width++)
        entries->of[width]++;
}

/* Of every width in one pass over the mask. */
static entry_counts count_entries(const uint8_t *mask, size_t count) {
    entry_counts entries = {{0}};
    uint64_t gap = 0;
    for (size_t i = 0; i < count; i++) {
        if (mask[i] == 0) {
            gap++;
            continue;
        }
        count_gap(&entries, gap);
        gap = 0;
    }
    return entries;
}

unsigned tensor_relative_width(const uint8_t *mask, size_t count, unsigned value_bits,
                               uint64_t *entries) {
    const entry_counts all = count_entries(mask, count);
    unsigned best = 1;
    for (unsigned width = 2; width <= PACK_WIDTH_MAX; width++)
        if (all.of[width] * (width + value_bits) < all.of[best] * (best + value_bits))
            best = width;
    *entries = all.of[best];
    return best;
}

static void relative_write(const uint8_t *mask, size_t count, unsigned width, bits_writer *plain) {
    const uint32_t escape = (UINT32_C(1) << width) - 1;
    bits_write(plain, (uint32_t)count_entries(mask, count).of[width], 32);
    uint32_t gap = 0;
    for (size_t i = 0; i < count; i++) {
        if (mask[i] == 0) {
            gap++;
            continue;
        }
        for (; gap >= escape; gap -= escape)
            bits_write(plain, escape, width);
        bits_write(plain, gap, width);
        gap = 0;
    }
}

static bool relative_read(uint8_t *mask, size_t count, unsigned width, bits_reader *plain) {
    const uint32_t escape = (UINT32_C(1) << width) - 1;
    uint32_t entries = bits_read(plain, 32);
    size_t at = 0;
    for (uint32_t e = 0; e < entries && !plain->failed; e++) {
        uint32_t gap = bits_read(plain, width);
        if (gap > count - at || (gap != escape && gap == count - at))
            return false;
        at += gap;
        if (gap != escape)
            mask[at++] = 1;
    }
    return !plain->failed;
}

/* ---- positions ---- */

static admmnn_status code_positions(tensor_shape shape, tensor_plan plan, uint8_t *mask,
                                    coder *range, admmnn_error *err) {
    shape.matrix.ordered = plan.ordered;
    return positions_code(range, shape.matrix, mask, err);
}

admmnn_status tensor_write_positions(tensor_shape shape, tensor_plan plan, uint8_t *mask,
                                     bits_writer *plain, coder *range, admmnn_error *err) {
    if (plan.positions == PACK_POSITION_RELATIVE)
        relative_write(mask, shape.count, plan.width, plain);
    for (size_t i = 0; plan.positions == PACK_POSITION_BITMAP && i < shape.count; i++)
        bits_write(plain, mask[i], 1);
    if (plan.positions == PACK_POSITION_ENTROPY)
        return code_positions(shape, plan, mask, range, err);
    return ADMMNN_OK;
}

static admmnn_status read_positions(tensor_shape shape, tensor_plan plan, uint8_t *mask,
                                    bits_reader *plain, coder *range, admmnn_error *err) {
    bool whole = true;
    if (plan.positions == PACK_POSITION_DENSE)
        memset(mask, 1, shape.count);
    else if (plan.positions == PACK_POSITION_RELATIVE)
        whole = relative_read(mask, shape.count, plan.width, plain);
    else if (plan.positions == PACK_POSITION_ENTROPY)
        return code_positions(shape, plan, mask, range, err);
    for (size_t i = 0; plan.positions == PACK_POSITION_BITMAP && i < shape.count; i++)
        mask[i] = (uint8_t)bits_read(plain, 1);
    if (!whole || plain->failed)
        return base_fail(err, ADMMNN_CORRUPT, "positions leave the tensor or end early");
    return ADMMNN_OK;
}

/* ---- values ---- */

static void write_floats(const pack_tensor *tensor, const uint8_t *mask, size_t count,
                         bits_writer *plain) {
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &tensor->values[i], sizeof bits);
        if (mask[i] != 0)
            bits_write(plain, bits, 32);
    }
}

static void write_huffman(const pack_tensor *tensor, const uint8_t *mask, size_t count, bool zero,
                          bits_writer *plain) {
    uint32_t levels = admm_level_count(tensor->levels, tensor->bits);
    uint64_t counts[HUFFMAN_SYMBOLS_MAX] = {0};
    for (size_t i = 0; i < count; i++)
        if (mask[i] != 0)
            counts[symbol_of(tensor->codes[i], levels, zero)]++;
    huffman h;
    huffman_build(&h, counts, symbol_count(levels, zero));
    for (uint32_t s = 0; s < h.symbols; s++)
        bits_write(plain, h.lengths[s], 4);
    for (size_t i = 0; i < count; i++)
        if (mask[i] != 0)
            huffman_write(&h, plain, symbol_of(tensor->codes[i], levels, zero));
}

admmnn_status tensor_write_values(const pack_tensor *tensor, tensor_shape shape, tensor_plan plan,
                                  const uint8_t *mask, bits_writer *plain, coder *range,
                                  admmnn_error *err) {
    if (tensor->form == PACK_FLOAT32) {
        write_floats(tensor, mask, shape.count, plain);
        return ADMMNN_OK;
    }
    bool zero = zero_is_coded(tensor, plan);
    uint32_t levels = admm_level_count(tensor->levels, tensor->bits);
    if (plan.values == PACK_CODER_RANGE)
        return values_code(range, shape.matrix.rows, shape.matrix.columns, levels, zero, mask,
                           tensor->codes, err);
    if (plan.values == PACK_CODER_HUFFMAN)
        write_huffman(tensor, mask, shape.count, zero, plain);
    for (size_t i = 0; plan.values == PACK_CODER_FIXED && i < shape.count; i++)
        if (mask[i] != 0)
            bits_write(plain, symbol_of(tensor->codes[i], levels, zero), tensor->bits);
    return ADMMNN_OK;
}

static bool read_huffman_lengths(huffman *h, uint32_t symbols, bits_reader *plain) {
    memset(h, 0, sizeof *h);
    h->symbols = symbols;
    for (uint32_t s = 0; s < symbols; s++)
        h->lengths[s] = (uint8_t)bits_read(plain, 4);
    return !plain->failed && huffman_from_lengths(h);
}

static admmnn_status read_symbols(pack_tensor *tensor, tensor_plan plan, const uint8_t *mask,
                                  size_t count, bits_reader *plain, admmnn_error *err) {
    bool zero = zero_is_coded(tensor, plan);
    uint32_t levels = admm_level_count(tensor->levels, tensor->bits);
    uint32_t symbols = symbol_count(levels, zero);
    huffman h;
    if (plan.values == PACK_CODER_HUFFMAN && !read_huffman_lengths(&h, symbols, plain))
        return base_fail(err, ADMMNN_CORRUPT, "code lengths that make no code");
    for (size_t i = 0; i < count; i++) {
        if (mask[i] == 0)
            continue;
        uint32_t symbol = plan.values == PACK_CODER_HUFFMAN ? huffman_read(&h, plain)
                                                            : bits_read(plain, tensor->bits);
        if (plain->failed || symbol >= symbols)
            return base_fail(err, ADMMNN_CORRUPT, "a value beyond the levels, or an early end");
        tensor->codes[i] = code_of(symbol, levels, zero);
    }
    return ADMMNN_OK;
}

static admmnn_status read_range(pack_tensor *tensor, tensor_shape shape, tensor_plan plan,
                                const uint8_t *mask, coder *range, admmnn_error *err) {
    uint32_t levels = admm_level_count(tensor->levels, tensor->bits);
    BASE_TRY(values_code(range, shape.matrix.rows, shape.matrix.columns, levels,
                         zero_is_coded(tensor, plan), mask, tensor->codes, err));
    for (size_t i = 0; i < shape.count; i++)
        if ((uint32_t)abs(tensor->codes[i]) > levels)
            return base_fail(err, ADMMNN_CORRUPT, "a value beyond the levels");
    return ADMMNN_OK;
}

/* An interval of 0 goes with codes of 0 alone. */
static admmnn_status check_interval(const pack_tensor *tensor, size_t count, admmnn_error *err) {
    for (size_t i = 0; tensor->step == 0.0F && i < count; i++)
        if (tensor->codes[i] != 0)
            return base_fail(err, ADMMNN_CORRUPT, "values of an interval of 0 that are not 0");
    return ADMMNN_OK;
}

static admmnn_status read_codes(pack_tensor *tensor, tensor_shape shape, tensor_plan plan,
                                const uint8_t *mask, bits_reader *plain, coder *range,
                                admmnn_error *err) {
    BASE_TRY(plan.values == PACK_CODER_RANGE
                 ? read_range(tensor, shape, plan, mask, range, err)
                 : read_symbols(tensor, plan, mask, shape.count, plain, err));
    return check_interval(tensor, shape.count, err);
}

static admmnn_status read_values(pack_tensor *tensor, tensor_shape shape, tensor_plan plan,
                                 const uint8_t *mask, bits_reader *plain, coder *range,
                                 admmnn_error *err) {
    if (tensor->form == PACK_LEVELS)
        return read_codes(tensor, shape, plan, mask, plain, range, err);
    for (size_t i = 0; i < shape.count; i++) {
        uint32_t bits = mask[i] != 0 ? bits_read(plain, 32) : 0;
        memcpy(&tensor->values[i], &bits, sizeof bits);
    }
    if (plain->failed)
        return base_fail(err, ADMMNN_CORRUPT, "values end early");
    return ADMMNN_OK;
}

/* ---- whole tensors ---- */

static void describe(const pack_tensor *tensor, const uint8_t *mask, size_t count, tensor_plan plan,
                     pack_tensor_report *report) {
    *report = (pack_tensor_report){.positions = plan.positions,
                                   .values = plan.values,
                                   .count = count,
                                   .bits = tensor->form == PACK_LEVELS ? tensor->bits : 32};
    for (size_t i = 0; i < count; i++)
        report->kept += mask[i] != 0;
    if (plan.values == PACK_CODER_HUFFMAN)
        report->codebook_bits =
            UINT64_C(4) * symbol_count(admm_level_count(tensor->levels, tensor->bits),
                                       zero_is_coded(tensor, plan));
    report->relative_bits =
        tensor_relative_width(mask, count, report->bits, &report->relative_entries);
}

static uint64_t bits_so_far(uint64_t plain, const coder *range) {
    return plain + coder_bits(range);
}

admmnn_status tensor_write(const pack_tensor *tensor, tensor_shape shape, tensor_plan plan,
                           bits_writer *plain, coder *range, pack_tensor_report *report,
                           admmnn_error *err) {
    uint8_t *mask = base_array(shape.count, 1);
    if (mask == NULL)
        return base_fail_memory(err, "a tensor's positions");
    tensor_mask(tensor, shape.count, mask);
    describe(tensor, mask, shape.count, plan, report);
    uint64_t start = bits_so_far(plain->count, range);
    admmnn_status status = tensor_write_positions(shape, plan, mask, plain, range, err);
    uint64_t middle = bits_so_far(plain->count, range);
    if (plan.positions == PACK_POSITION_DENSE)
        memset(mask, 1, shape.count);
    if (status == ADMMNN_OK)
        status = tensor_write_values(tensor, shape, plan, mask, plain, range, err);
    report->position_bits = middle - start;
    report->value_bits = bits_so_far(plain->count, range) - middle;
    base_free(mask);
    return status;
}

admmnn_status tensor_read(pack_tensor *tensor, tensor_shape shape, tensor_plan plan,
                          bits_reader *plain, coder *range, pack_tensor_report *report,
                          admmnn_error *err) {
    uint8_t *mask = base_array(shape.count, 1);
    if (tensor->form == PACK_LEVELS)
        tensor->codes = base_array(shape.count, sizeof *tensor->codes);
    else
        tensor->values = base_array(shape.count, sizeof *tensor->values);
    if (mask == NULL || (tensor->codes == NULL && tensor->values == NULL)) {
        base_free(mask);
        return base_fail_memory(err, "a tensor");
    }
    uint64_t start = bits_so_far(plain->at, range);
    admmnn_status status = read_positions(shape, plan, mask, plain, range, err);
    uint64_t middle = bits_so_far(plain->at, range);
    if (status == ADMMNN_OK)
        status = read_values(tensor, shape, plan, mask, plain, range, err);
    if (status == ADMMNN_OK && report != NULL) {
        tensor_mask(tensor, shape.count, mask);
        describe(tensor, mask, shape.count, plan, report);
        report->position_bits = middle - start;
        report->value_bits = bits_so_far(plain->at, range) - middle;
    }
    base_free(mask);
    return status;
}
