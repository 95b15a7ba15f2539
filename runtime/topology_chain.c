/* Version 1: chains of few operations. */
#include <string.h>

#include "topology.h"

static bool has_window(uint32_t op) {
    return op == PACK_OP_CONV || op == PACK_OP_MAXPOOL;
}

static rt_window read_window(rt_reader *in, uint32_t op, bool unusual) {
    if (!unusual) {
        const uint32_t kernel = rt_read_number(in, UINT32_MAX);
        return rt_topology_window(kernel, op == PACK_OP_CONV ? 1 : kernel, 0);
    }
    rt_window w = rt_topology_window(1, 1, 0);
    for (int i = 0; i < 2; i++)
        w.kernel[i] = rt_read_number(in, UINT32_MAX);
    for (int i = 0; i < 2; i++)
        w.stride[i] = rt_read_number(in, UINT32_MAX);
    for (int i = 0; i < 2; i++)
        w.pad[i] = w.pad_end[i] = rt_read_number(in, UINT32_MAX);
    return w;
}

static void read_geometry(rt_reader *in, rt_item *item, bool unusual) {
    const uint32_t op = item->code;
    rt_node *node = &item->node;
    item->biased = true;
    if (unusual && !has_window(op) && op != PACK_OP_BATCH_NORMALIZATION)
        in->failed = true;
    if (op == PACK_OP_CONV) {
        node->as.conv.window = read_window(in, op, unusual);
        node->as.conv.groups = 1;
    }
    if (op == PACK_OP_MAXPOOL)
        node->as.pool.window = read_window(in, op, unusual);
    if (op == PACK_OP_CONV || op == PACK_OP_INNER_PRODUCT)
        item->outputs = rt_read_number(in, UINT32_MAX);
    if (op == PACK_OP_BATCH_NORMALIZATION)
        node->as.normalization.epsilon = unusual ? rt_read_f32(in) : 1e-5F;
    if (op == PACK_OP_DROPOUT) {
        const float ratio = rt_read_f32(in);
        if (!(ratio >= 0.0F && ratio < 1.0F))
            in->failed = true;
    }
}

static admmnn_runtime_status read_node(rt_topology *t, uint32_t numbers[PACK_CHAIN_OPS]) {
    const unsigned head = rt_read_u8(t->in);
    rt_item item;
    uint32_t operand = t->values - 1;
    memset(&item, 0, sizeof item);
    item.code = item.node.op = head & PACK_NODE_OP;
    if (item.code >= PACK_CHAIN_OPS || (head & PACK_NODE_UNUSED) != 0)
        return rt_topology_corrupt(t, "an unknown operation");
    if ((head & PACK_NODE_INPUT) != 0)
        operand = rt_read_number(t->in, UINT32_MAX);
    item.node.operands = &operand;
    item.node.operand_count = 1;
    read_geometry(t->in, &item, (head & PACK_NODE_UNUSUAL) != 0);
    rt_topology_usual_name(item.code, ++numbers[item.code], item.name);
    if ((head & PACK_NODE_NAME) != 0 && !rt_topology_read_text(t->in, item.name))
        t->in->failed = true;
    if (t->in->failed || rt_topology_name_is_taken(t, item.name))
        return rt_topology_corrupt(t, "a node ends early or makes no sense");
    return rt_topology_add(t, &item);
}

admmnn_runtime_status rt_topology_chain(rt_topology *t) {
    rt_shape input = {3, {0}};
    uint32_t numbers[PACK_CHAIN_OPS] = {0};
    for (int i = 0; i < 3; i++)
        input.dims[i] = rt_read_number(t->in, UINT32_MAX);
    const uint32_t nodes = rt_read_number(t->in, UINT32_MAX);
    RT_TRY(rt_topology_start(t, nodes, &input));
    for (uint32_t n = 0; n < nodes; n++)
        RT_TRY(read_node(t, numbers));
    t->opening->network->output = nodes;
    return ADMMNN_RUNTIME_OK;
}
