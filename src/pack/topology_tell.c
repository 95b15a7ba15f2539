#include "pack/topology_tell.h"

#include <math.h>
#include <string.h>

#include "pack/format.h"
#include "pack/topology_parts.h"

static void tell_number(topology_telling *t, uint32_t *number) {
    if (t->out != NULL)
        base_write_varint(t->out, *number);
    else
        *number = topology_read_u32(t->in);
}

uint32_t topology_tell_choice(topology_telling *t, uint32_t number, uint32_t count) {
    tell_number(t, &number);
    if (t->in == NULL || number < count)
        return number;
    t->in->failed = true;
    return 0;
}

static void tell_float(topology_telling *t, float *value) {
    if (t->out != NULL)
        base_write_f32(t->out, *value);
    else
        *value = base_read_f32(t->in);
}

static void tell_numbers(topology_telling *t, uint32_t *numbers, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        tell_number(t, &numbers[i]);
}

/* 0, -1, 1, -2, ... are 0, 1, 2, 3, ... */
static void tell_signed(topology_telling *t, int32_t *number) {
    uint32_t folded = *number < 0 ? ~((uint32_t)*number << 1) : (uint32_t)*number << 1;
    tell_number(t, &folded);
    *number = (int32_t)((folded >> 1) ^ ((folded & 1U) != 0 ? UINT32_MAX : 0));
}

void topology_tell_shape(topology_telling *t, graph_shape *shape) {
    shape->rank = topology_tell_choice(t, shape->rank, GRAPH_RANK_MAX + 1);
    tell_numbers(t, shape->dims, shape->rank);
}

/* ---- what operations need to know ---- */

bool topology_is_layer(unsigned code) {
    return code == GRAPH_CONV || code == GRAPH_TRANSPOSED_CONV || code == GRAPH_INNER_PRODUCT;
}

static bool is_pool(unsigned code) {
    return code == GRAPH_MAXPOOL || code == GRAPH_AVERAGE_POOL;
}

/* Where a form says nothing else: no padding, a convolution's stride 1, a pooling's its
 * kernel. */
static graph_window usual_window(unsigned code, uint32_t kernel) {
    return graph_window_of(kernel, is_pool(code) ? kernel : 1, 0);
}

static bool windows_equal(const graph_window *a, const graph_window *b) {
    return memcmp(a, b, sizeof *a) == 0;
}

/* The bits of a form that the operation may have. */
static unsigned form_bits(unsigned code) {
    switch (code) {
    case GRAPH_CONV:
        return PACK_FORM_WINDOW | PACK_FORM_GROUPS | PACK_FORM_UNBIASED;
    case GRAPH_TRANSPOSED_CONV:
        return PACK_FORM_WINDOW | PACK_FORM_GROUPS | PACK_FORM_UNBIASED | PACK_FORM_OUTPUT_PAD;
    case GRAPH_INNER_PRODUCT:
        return PACK_FORM_UNBIASED;
    default:
        return PACK_FORM_WINDOW | PACK_FORM_CEIL | PACK_FORM_PADDING;
    }
}

static unsigned form_of(const topology_item *it) {
    const graph_window *w = graph_node_window(&it->node);
    unsigned form = topology_is_layer(it->code) && !it->biased ? PACK_FORM_UNBIASED : 0;
    if (w == NULL)
        return form;
    const graph_window even = graph_window_of(w->kernel[0], w->stride[0], w->pad[0]);
    form |= windows_equal(w, &even) ? 0 : PACK_FORM_WINDOW;
    if (is_pool(it->code))
        return form | (it->node.pool.ceil ? PACK_FORM_CEIL : 0) |
               (it->node.pool.counts_padding ? PACK_FORM_PADDING : 0);
    const uint32_t *output_pad = it->node.conv.output_pad;
    return form | (it->node.conv.groups == 1 ? 0 : PACK_FORM_GROUPS) |
           ((output_pad[0] | output_pad[1]) == 0 ? 0 : PACK_FORM_OUTPUT_PAD);
}

/* Whether a layer or a pooling has a form of its own. */
static bool has_form(const topology_item *it) {
    const graph_window *w = graph_node_window(&it->node);
    if (form_of(it) != 0 || w == NULL)
        return form_of(it) != 0;
    const graph_window usual = usual_window(it->code, w->kernel[0]);
    return !windows_equal(w, &usual);
}

static void tell_window(topology_telling *t, unsigned code, unsigned form, bool unusual,
                        graph_window *w) {
    uint32_t even[3] = {w->kernel[0], w->stride[0], w->pad[0]};
    if ((form & PACK_FORM_WINDOW) != 0) {
        tell_numbers(t, w->kernel, 2);
        tell_numbers(t, w->stride, 2);
        tell_numbers(t, w->pad, 2);
        tell_numbers(t, w->pad_end, 2);
        tell_numbers(t, w->dilation, 2);
        return;
    }
    tell_numbers(t, even, unusual ? 3 : 1);
    *w = unusual ? graph_window_of(even[0], even[1], even[2]) : usual_window(code, even[0]);
}

static void tell_conv(topology_telling *t, unsigned form, graph_conv *conv) {
    if (t->in != NULL)
        conv->groups = 1;
    if ((form & PACK_FORM_GROUPS) != 0)
        tell_number(t, &conv->groups);
    if ((form & PACK_FORM_OUTPUT_PAD) != 0)
        tell_numbers(t, conv->output_pad, 2);
}

/* Of layers and poolings. */
static void tell_form(topology_telling *t, topology_item *it, bool unusual) {
    unsigned form = 0;
    if (unusual)
        form = topology_tell_choice(t, form_of(it), PACK_FORM_END);
    if (t->in != NULL && (form & ~form_bits(it->code)) != 0)
        t->in->failed = true;
    it->biased = (form & PACK_FORM_UNBIASED) == 0;
    if (is_pool(it->code)) {
        tell_window(t, it->code, form, unusual, &it->node.pool.window);
        it->node.pool.ceil = (form & PACK_FORM_CEIL) != 0;
        it->node.pool.counts_padding = (form & PACK_FORM_PADDING) != 0;
        return;
    }
    if (it->code != GRAPH_INNER_PRODUCT) {
        tell_window(t, it->code, form, unusual, &it->node.conv.window);
        tell_conv(t, form, &it->node.conv);
        it->node.conv.biased = it->biased;
    }
    tell_number(t, &it->outputs);
}

static void tell_normalization(topology_telling *t, topology_item *it, bool unusual) {
    graph_normalization *n = &it->node.normalization;
    if (it->code == GRAPH_LAYER_NORMALIZATION)
        tell_number(t, &n->axis);
    if (t->in != NULL) {
        n->epsilon = GRAPH_EPSILON;
        n->momentum = GRAPH_MOMENTUM;
    }
    if (!unusual)
        return;
    tell_float(t, &n->epsilon);
    if (it->code == GRAPH_BATCH_NORMALIZATION)
        tell_float(t, &n->momentum);
}

static void tell_unary(topology_telling *t, graph_unary *unary, bool unusual) {
    unary->kind = (graph_unary_kind)topology_tell_choice(t, unary->kind, GRAPH_UNARY_COUNT);
    if (!unusual)
        return;
    tell_float(t, &unary->a);
    tell_float(t, &unary->b);
}

static void tell_lrn(topology_telling *t, graph_lrn *lrn) {
    tell_number(t, &lrn->size);
    tell_float(t, &lrn->alpha);
    tell_float(t, &lrn->beta);
    tell_float(t, &lrn->bias);
}

static void tell_reduce(topology_telling *t, graph_reduce *reduce) {
    reduce->kind = (graph_reduction)topology_tell_choice(t, reduce->kind, GRAPH_REDUCE_SUM + 1);
    reduce->keeps = topology_tell_choice(t, reduce->keeps, 2) != 0;
    tell_number(t, &reduce->axes);
}

static void tell_slice(topology_telling *t, graph_slice *slice, uint32_t rank) {
    for (uint32_t i = 0; i < rank; i++) {
        tell_number(t, &slice->first[i]);
        tell_number(t, &slice->count[i]);
        tell_signed(t, &slice->step[i]);
    }
}

static void tell_pad(topology_telling *t, graph_pad *pad, uint32_t rank) {
    pad->kind = (graph_pad_kind)topology_tell_choice(t, pad->kind, GRAPH_PAD_EDGE + 1);
    if (pad->kind == GRAPH_PAD_CONSTANT)
        tell_float(t, &pad->value);
    tell_numbers(t, pad->begin, rank);
    tell_numbers(t, pad->end, rank);
}

static void tell_resize(topology_telling *t, graph_resize *resize, uint32_t rank) {
    resize->mode =
        (graph_resize_mode)topology_tell_choice(t, resize->mode, GRAPH_RESIZE_LINEAR + 1);
    resize->place =
        (graph_resize_place)topology_tell_choice(t, resize->place, GRAPH_RESIZE_ASYMMETRIC + 1);
    for (uint32_t i = 0; i < rank; i++)
        tell_float(t, &resize->scale[i]);
    tell_numbers(t, resize->size, rank);
}

/* -0 is a number of its own, as a bound and as a slope. */
static bool is_zero(float number) {
    return number == 0.0F && !signbit(number);
}

bool topology_is_unusual(const topology_item *it) {
    const graph_normalization *n = &it->node.normalization;
    switch (it->code) {
    case GRAPH_CONV:
    case GRAPH_TRANSPOSED_CONV:
    case GRAPH_INNER_PRODUCT:
    case GRAPH_MAXPOOL:
    case GRAPH_AVERAGE_POOL:
        return has_form(it);
    case GRAPH_BATCH_NORMALIZATION:
        return n->epsilon != GRAPH_EPSILON || n->momentum != GRAPH_MOMENTUM;
    case GRAPH_INSTANCE_NORMALIZATION:
    case GRAPH_LAYER_NORMALIZATION:
        return n->epsilon != GRAPH_EPSILON;
    case GRAPH_UNARY:
        return !is_zero(it->node.unary.a) || !is_zero(it->node.unary.b);
    default:
        return false;
    }
}

bool topology_may_be_unusual(unsigned code) {
    return topology_is_layer(code) || is_pool(code) || code == GRAPH_BATCH_NORMALIZATION ||
           code == GRAPH_INSTANCE_NORMALIZATION || code == GRAPH_LAYER_NORMALIZATION ||
           code == GRAPH_UNARY;
}

void topology_tell_operation(topology_telling *t, topology_item *it, bool unusual) {
    graph_node *node = &it->node;
    switch (it->code) {
    case GRAPH_CONV:
    case GRAPH_TRANSPOSED_CONV:
    case GRAPH_INNER_PRODUCT:
    case GRAPH_MAXPOOL:
    case GRAPH_AVERAGE_POOL:
        tell_form(t, it, unusual);
        break;
    case GRAPH_BATCH_NORMALIZATION:
    case GRAPH_INSTANCE_NORMALIZATION:
    case GRAPH_LAYER_NORMALIZATION:
        tell_normalization(t, it, unusual);
        break;
    case GRAPH_DROPOUT:
        tell_float(t, &node->ratio);
        break;
    case GRAPH_LRN:
        tell_lrn(t, &node->lrn);
        break;
    case GRAPH_UNARY:
        tell_unary(t, &node->unary, unusual);
        break;
    case GRAPH_BINARY:
        node->binary = (graph_binary_kind)topology_tell_choice(t, node->binary, GRAPH_BINARY_COUNT);
        break;
    case GRAPH_SOFTMAX:
    case GRAPH_LOG_SOFTMAX:
    case GRAPH_CONCAT:
    case GRAPH_GATHER:
        tell_number(t, &node->axis);
        break;
    case GRAPH_REDUCE:
        tell_reduce(t, &node->reduce);
        break;
    case GRAPH_SLICE:
        tell_slice(t, &node->slice, it->in.rank);
        break;
    case GRAPH_PAD:
        tell_pad(t, &node->pad, it->in.rank);
        break;
    case GRAPH_RESHAPE:
        topology_tell_shape(t, &it->shape);
        break;
    case GRAPH_TRANSPOSE:
        tell_numbers(t, node->order, it->in.rank);
        break;
    case GRAPH_RESIZE:
        tell_resize(t, &node->resize, it->in.rank);
        break;
    default: /* ReLU and matmul */
        break;
    }
}
