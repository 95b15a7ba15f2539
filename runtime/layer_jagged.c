/* Words of rows that have few: rows in the order of how many, so that vectors have a row in each
 * lane (sliced jagged diagonal storage). */
#include <string.h>

#include "layer_making.h"

/* The list as it was read: by rows. */
typedef struct by_rows {
    uint32_t *starts; /* [rows + 1] */
    uint16_t *words;  /* [kept] */
} by_rows;

static size_t length_of(const uint32_t *starts, size_t row) {
    return starts[row + 1] - starts[row];
}

static bool copy_rows(rt_memory *memory, const rt_layer *layer, by_rows *from) {
    const size_t starts = ((size_t)layer->rows + 1) * sizeof *from->starts;
    from->starts = rt_scratch(memory, (size_t)layer->rows + 1, sizeof *from->starts);
    from->words = rt_scratch(memory, layer->kept, sizeof *from->words);
    if (from->starts == NULL || from->words == NULL)
        return false;
    memcpy(from->starts, layer->starts, starts);
    memcpy(from->words, layer->places, layer->kept * sizeof *from->words);
    return true;
}

/* next[length] becomes where the first row of that length goes, the longest first; rows of the
 * same length keep their order. */
static void count_lengths(const rt_layer *layer, const uint32_t *starts, uint32_t *next) {
    uint32_t before = 0;
    for (size_t row = 0; row < layer->rows; row++)
        next[length_of(starts, row)]++;
    for (size_t length = (size_t)layer->columns + 1; length-- > 0;) {
        const uint32_t count = next[length];
        next[length] = before;
        before += count;
    }
}

static void order_rows(rt_layer *layer, const uint32_t *starts, uint32_t *next) {
    count_lengths(layer, starts, next);
    for (size_t row = 0; row < layer->rows; row++)
        layer->order[next[length_of(starts, row)]++] = (uint32_t)row;
    for (size_t i = 0; i < layer->rows; i++)
        layer->starts[i + 1] = layer->starts[i] + (uint32_t)length_of(starts, layer->order[i]);
}

/* Rows from number `first` of the order on: the first word of each, then the second of each that
 * has one. */
static uint16_t *put_rows(const rt_layer *layer, const by_rows *from, size_t first, size_t count,
                          uint16_t *to) {
    for (size_t word = 0; word < length_of(layer->starts, first); word++)
        for (size_t i = first; i < first + count && length_of(layer->starts, i) > word; i++)
            *to++ = from->words[from->starts[layer->order[i]] + word];
    return to;
}

static admmnn_runtime_status put_in_order(rt_making *m) {
    rt_layer *layer = m->layer;
    rt_memory *memory = m->from->opening->memory;
    const size_t lanes = m->from->opening->network->kernels->lanes;
    const size_t mark = rt_scratch_mark(memory);
    by_rows from = {NULL, NULL};
    layer->order = rt_take(memory, layer->rows, sizeof *layer->order);
    uint32_t *next = rt_scratch(memory, (size_t)layer->columns + 1, sizeof *next);
    if (layer->order == NULL || next == NULL || !copy_rows(memory, layer, &from))
        return rt_sources_memory(m->from);
    order_rows(layer, from.starts, next);
    uint16_t *to = layer->places;
    for (size_t i = 0; i < layer->rows; i += lanes)
        to = put_rows(layer, &from, i, rt_smaller(lanes, layer->rows - i), to);
    layer->form = RT_JAGGED;
    rt_scratch_release(memory, mark);
    return ADMMNN_RUNTIME_OK;
}

/* Whether rows are short and all run at once. */
static bool pays(const rt_making *m) {
    const rt_layer *layer = m->layer;
    const rt_node *user = rt_making_user(m);
    return layer->form == RT_WORDS && layer->kept < (uint64_t)layer->rows * RT_JAGGED_LEAST &&
           m->from->opening->network->kernels->runs_jagged &&
           (user->op != PACK_OP_CONV || user->as.conv.groups == 1);
}

admmnn_runtime_status rt_jag_words(rt_making *m) {
    return pays(m) ? put_in_order(m) : ADMMNN_RUNTIME_OK;
}
