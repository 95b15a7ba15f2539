/* Version 2: any graph. */
#include <string.h>

#include "topology.h"

/* Usual names number the items of each code; others begin as the name before them does. */
typedef struct naming {
    uint32_t numbers[PACK_ITEM_PARAMETER + 1];
    char last[PACK_NAME_MAX];
} naming;

static bool read_own_name(naming *names, rt_reader *in, char name[PACK_NAME_MAX]) {
    const uint64_t shared = rt_read_varint(in);
    const uint64_t own = rt_read_varint(in);
    if (in->failed || shared > strlen(names->last) || own >= PACK_NAME_MAX - shared)
        return false;
    memcpy(name, names->last, (size_t)shared);
    if (!rt_read_bytes(in, own, (uint8_t *)name + shared))
        return false;
    name[shared + own] = 0;
    return rt_topology_is_name((const uint8_t *)name, shared + own);
}

static admmnn_runtime_status read_name(const rt_topology *t, naming *names, unsigned head,
                                       rt_item *item) {
    rt_topology_usual_name(item->code, ++names->numbers[item->code], item->name);
    if ((head & PACK_ITEM_NAME) != 0 && !read_own_name(names, t->in, item->name))
        return rt_topology_corrupt(t, "a name that makes no sense");
    memcpy(names->last, item->name, sizeof names->last);
    if (item->code != PACK_ITEM_PARAMETER && rt_topology_name_is_taken(t, item->name))
        return rt_topology_corrupt(t, "two nodes of one name");
    return ADMMNN_RUNTIME_OK;
}

/* ---- what operations need to know ---- */

static uint32_t any_number(rt_reader *in) {
    return rt_read_number(in, UINT32_MAX);
}

static void read_numbers(rt_reader *in, uint32_t *numbers, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        numbers[i] = any_number(in);
}

static void read_shape(rt_reader *in, rt_shape *shape) {
    shape->rank = rt_read_number(in, PACK_RANK_MAX);
    read_numbers(in, shape->dims, shape->rank);
}

static bool is_pool(uint32_t op) {
    return op == PACK_OP_MAXPOOL || op == PACK_OP_AVERAGE_POOL;
}

/* The bits of a form that the operation may have. */
static unsigned form_bits(uint32_t op) {
    switch (op) {
    case PACK_OP_CONV:
        return PACK_FORM_WINDOW | PACK_FORM_GROUPS | PACK_FORM_UNBIASED;
    case PACK_OP_TRANSPOSED_CONV:
        return PACK_FORM_WINDOW | PACK_FORM_GROUPS | PACK_FORM_UNBIASED | PACK_FORM_OUTPUT_PAD;
    case PACK_OP_INNER_PRODUCT:
        return PACK_FORM_UNBIASED;
    default:
        return PACK_FORM_WINDOW | PACK_FORM_CEIL | PACK_FORM_PADDING;
    }
}

static rt_window read_window(rt_reader *in, uint32_t op, unsigned form, bool unusual) {
    if ((form & PACK_FORM_WINDOW) != 0) {
        rt_window w = rt_topology_window(1, 1, 0);
        read_numbers(in, w.kernel, 2);
        read_numbers(in, w.stride, 2);
        read_numbers(in, w.pad, 2);
        read_numbers(in, w.pad_end, 2);
        read_numbers(in, w.dilation, 2);
        return w;
    }
    uint32_t even[3] = {0, 0, 0};
    read_numbers(in, even, unusual ? 3 : 1);
    if (!unusual)
        even[1] = is_pool(op) ? even[0] : 1;
    return rt_topology_window(even[0], even[1], even[2]);
}

static void read_conv(rt_reader *in, unsigned form, bool unusual, uint32_t op, rt_conv *conv) {
    conv->window = read_window(in, op, form, unusual);
    conv->groups = (form & PACK_FORM_GROUPS) != 0 ? any_number(in) : 1;
    if ((form & PACK_FORM_OUTPUT_PAD) != 0)
        read_numbers(in, conv->output_pad, 2);
}

/* Of layers and poolings. */
static void read_form(rt_reader *in, rt_item *item, bool unusual) {
    const uint32_t op = item->code;
    const unsigned form = unusual ? rt_read_number(in, PACK_FORM_END - 1) : 0;
    if ((form & ~form_bits(op)) != 0)
        in->failed = true;
    item->biased = (form & PACK_FORM_UNBIASED) == 0;
    if (is_pool(op)) {
        item->node.as.pool.window = read_window(in, op, form, unusual);
        item->node.as.pool.ceil = (form & PACK_FORM_CEIL) != 0;
        item->node.as.pool.counts_padding = (form & PACK_FORM_PADDING) != 0;
        return;
    }
    if (op != PACK_OP_INNER_PRODUCT)
        read_conv(in, form, unusual, op, &item->node.as.conv);
    item->outputs = any_number(in);
}

static void read_normalization(rt_reader *in, uint32_t op, rt_normalization *n, bool unusual) {
    if (op == PACK_OP_LAYER_NORMALIZATION)
        n->axis = any_number(in);
    n->epsilon = unusual ? rt_read_f32(in) : 1e-5F;
    if (!unusual || op != PACK_OP_BATCH_NORMALIZATION)
        return;
    const float momentum = rt_read_f32(in);
    if (!(momentum >= 0.0F && momentum <= 1.0F))
        in->failed = true;
}

static void read_ratio(rt_reader *in) {
    const float ratio = rt_read_f32(in);
    if (!(ratio >= 0.0F && ratio < 1.0F))
        in->failed = true;
}

static void read_unary(rt_reader *in, rt_unary *u, bool unusual) {
    u->kind = rt_read_number(in, PACK_UNARY_COUNT - 1);
    u->a = unusual ? rt_read_f32(in) : 0.0F;
    u->b = unusual ? rt_read_f32(in) : 0.0F;
}

static void read_lrn(rt_reader *in, rt_lrn *lrn) {
    lrn->size = any_number(in);
    lrn->alpha = rt_read_f32(in);
    lrn->beta = rt_read_f32(in);
    lrn->bias = rt_read_f32(in);
}

static void read_reduce(rt_reader *in, rt_reduce *reduce) {
    reduce->kind = rt_read_number(in, PACK_REDUCE_COUNT - 1);
    reduce->keeps = rt_read_number(in, 1) != 0;
    reduce->axes = any_number(in);
}

/* 0, -1, 1, -2, ... are 0, 1, 2, 3, ... */
static int32_t read_signed(rt_reader *in) {
    const uint32_t folded = any_number(in);
    const int32_t half = (int32_t)(folded >> 1);
    return (folded & 1U) != 0 ? -half - 1 : half;
}

static void read_slice(rt_reader *in, rt_slice *slice, uint32_t rank) {
    for (uint32_t i = 0; i < rank; i++) {
        slice->first[i] = any_number(in);
        slice->count[i] = any_number(in);
        slice->step[i] = read_signed(in);
    }
}

static void read_pad(rt_reader *in, rt_pad *pad, uint32_t rank) {
    pad->kind = rt_read_number(in, PACK_PAD_COUNT - 1);
    if (pad->kind == PACK_PAD_CONSTANT)
        pad->value = rt_read_f32(in);
    read_numbers(in, pad->begin, rank);
    read_numbers(in, pad->end, rank);
}

static void read_resize(rt_reader *in, rt_resize *resize, uint32_t rank) {
    resize->mode = rt_read_number(in, PACK_RESIZE_MODE_COUNT - 1);
    resize->place = rt_read_number(in, PACK_RESIZE_PLACE_COUNT - 1);
    for (uint32_t i = 0; i < rank; i++)
        resize->scale[i] = rt_read_f32(in);
    read_numbers(in, resize->size, rank);
}

static void read_attributes(rt_reader *in, rt_item *item, uint32_t rank, bool unusual) {
    rt_node *node = &item->node;
    switch (item->code) {
    case PACK_OP_CONV:
    case PACK_OP_TRANSPOSED_CONV:
    case PACK_OP_INNER_PRODUCT:
    case PACK_OP_MAXPOOL:
    case PACK_OP_AVERAGE_POOL:
        read_form(in, item, unusual);
        break;
    case PACK_OP_BATCH_NORMALIZATION:
    case PACK_OP_INSTANCE_NORMALIZATION:
    case PACK_OP_LAYER_NORMALIZATION:
        read_normalization(in, item->code, &node->as.normalization, unusual);
        break;
    case PACK_OP_DROPOUT:
        read_ratio(in);
        break;
    case PACK_OP_LRN:
        read_lrn(in, &node->as.lrn);
        break;
    case PACK_OP_UNARY:
        read_unary(in, &node->as.unary, unusual);
        break;
    case PACK_OP_BINARY:
        node->as.binary = rt_read_number(in, PACK_BINARY_COUNT - 1);
        break;
    case PACK_OP_SOFTMAX:
    case PACK_OP_LOG_SOFTMAX:
    case PACK_OP_CONCAT:
    case PACK_OP_GATHER:
        node->as.axis = any_number(in);
        break;
    case PACK_OP_REDUCE:
        read_reduce(in, &node->as.reduce);
        break;
    case PACK_OP_SLICE:
        read_slice(in, &node->as.slice, rank);
        break;
    case PACK_OP_PAD:
        read_pad(in, &node->as.pad, rank);
        break;
    case PACK_OP_RESHAPE:
        read_shape(in, &item->shape);
        break;
    case PACK_OP_TRANSPOSE:
        read_numbers(in, node->as.order, rank);
        break;
    case PACK_OP_RESIZE:
        read_resize(in, &node->as.resize, rank);
        break;
    default: /* ReLU and matmul */
        break;
    }
}

/* ---- items ---- */

static bool may_be_unusual(uint32_t code) {
    switch (code) {
    case PACK_OP_CONV:
    case PACK_OP_TRANSPOSED_CONV:
    case PACK_OP_INNER_PRODUCT:
    case PACK_OP_MAXPOOL:
    case PACK_OP_AVERAGE_POOL:
    case PACK_OP_BATCH_NORMALIZATION:
    case PACK_OP_INSTANCE_NORMALIZATION:
    case PACK_OP_LAYER_NORMALIZATION:
    case PACK_OP_UNARY:
        return true;
    default:
        return false;
    }
}

/* Only operations read others and have attributes that may be unusual. */
static bool head_makes_sense(unsigned head, uint32_t code) {
    if (code == PACK_ITEM_CONSTANT)
        return (head & (PACK_ITEM_INPUT | PACK_ITEM_NAME | PACK_ITEM_UNUSUAL)) == 0;
    if (code == PACK_ITEM_PARAMETER)
        return (head & (PACK_ITEM_INPUT | PACK_ITEM_UNUSUAL)) == 0;
    return code < PACK_OP_COUNT && ((head & PACK_ITEM_UNUSUAL) == 0 || may_be_unusual(code));
}

/* The value that lies `back` before the next one; what is not there is refused with the node. */
static uint32_t value_back(const rt_topology *t, uint32_t back) {
    return back > t->values ? UINT32_MAX : t->values - back;
}

/* Every operand but the first takes at least a byte of the file. */
static admmnn_runtime_status read_operands(rt_topology *t, rt_item *item, uint32_t first) {
    rt_node *node = &item->node;
    const bool two = item->code == PACK_OP_BINARY || item->code == PACK_OP_MATMUL ||
                     item->code == PACK_OP_GATHER;
    node->operand_count = two ? 2 : 1;
    if (item->code == PACK_OP_CONCAT)
        node->operand_count = any_number(t->in);
    if (t->in->failed || node->operand_count == 0 ||
        node->operand_count - 1 > t->in->count - t->in->at)
        return rt_topology_corrupt(t, "operands end early");
    node->operands = rt_scratch(t->opening->memory, node->operand_count, sizeof *node->operands);
    if (node->operands == NULL)
        return rt_topology_memory(t);
    node->operands[0] = first;
    for (uint32_t i = 1; i < node->operand_count; i++)
        node->operands[i] = value_back(t, any_number(t->in));
    if (t->in->failed || first >= t->values)
        return rt_topology_corrupt(t, "an operand that is not there");
    return ADMMNN_RUNTIME_OK;
}

static admmnn_runtime_status read_operation(rt_topology *t, naming *names, unsigned head,
                                            rt_item *item, uint32_t first) {
    const size_t mark = rt_scratch_mark(t->opening->memory);
    item->node.op = item->code;
    RT_TRY(read_operands(t, item, first));
    read_attributes(t->in, item, t->opening->network->values[first].shape.rank,
                    (head & PACK_ITEM_UNUSUAL) != 0);
    RT_TRY(read_name(t, names, head, item));
    if (t->in->failed)
        return rt_topology_corrupt(t, "a node ends early or makes no sense");
    RT_TRY(rt_topology_add(t, item));
    rt_scratch_release(t->opening->memory, mark);
    return ADMMNN_RUNTIME_OK;
}

static admmnn_runtime_status read_parameter(rt_topology *t, naming *names, unsigned head,
                                            rt_item *item) {
    const uint8_t kind = (uint8_t)rt_read_number(t->in, PACK_PARAMETER_COUNT - 1);
    RT_TRY(read_name(t, names, head, item));
    if (t->in->failed)
        return rt_topology_corrupt(t, "a parameter ends early or makes no sense");
    return rt_topology_add_parameter(t, item, kind);
}

static admmnn_runtime_status read_item(rt_topology *t, naming *names) {
    const unsigned head = rt_read_u8(t->in);
    rt_item item;
    memset(&item, 0, sizeof item);
    item.code = head & PACK_ITEM_CODE;
    if (t->in->failed || !head_makes_sense(head, item.code))
        return rt_topology_corrupt(t, "an unknown operation");
    const uint32_t back = (head & PACK_ITEM_INPUT) != 0 ? any_number(t->in) : 1;
    if (item.code < PACK_OP_COUNT)
        return read_operation(t, names, head, &item, value_back(t, back));
    read_shape(t->in, &item.shape);
    return item.code == PACK_ITEM_CONSTANT ? rt_topology_add_constant(t, &item)
                                           : read_parameter(t, names, head, &item);
}

admmnn_runtime_status rt_topology_any(rt_topology *t) {
    rt_shape input = {0, {0}};
    naming names;
    memset(&names, 0, sizeof names);
    read_shape(t->in, &input);
    const uint32_t items = any_number(t->in);
    RT_TRY(rt_topology_start(t, items, &input));
    for (uint32_t i = 0; i < items; i++)
        RT_TRY(read_item(t, &names));
    const uint32_t back = any_number(t->in);
    if (t->in->failed || back >= items || t->opening->network->values[items - back].node == NULL)
        return rt_topology_corrupt(t, "the output is none that a node makes");
    t->opening->network->output = items - back;
    return ADMMNN_RUNTIME_OK;
}
