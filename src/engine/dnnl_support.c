#include "engine/dnnl_support.h"

#include "base/memory.h"

/* How many nodes read the parameter, as weights or as a value. */
static uint32_t readers_of(const graph *g, uint32_t parameter) {
    uint32_t readers = 0;
    for (uint32_t n = 0; n < g->node_count; n++) {
        const graph_node *node = &g->nodes[n];
        readers += node->weight == parameter;
        for (uint32_t i = 0; i < node->operand_count; i++)
            readers += g->values[graph_operand(g, node, i)].parameter == parameter;
    }
    return readers;
}

static bool may_be_listed(const graph *g, const graph_node *node) {
    return (node->op == GRAPH_CONV || node->op == GRAPH_INNER_PRODUCT) &&
           graph_value_varies(g, graph_operand(g, node, 0)) && readers_of(g, node->weight) == 1;
}

static void find_ranges(const graph *g, dnnl_support *s) {
    for (uint32_t p = 0; p < g->parameter_count; p++) {
        const graph_parameter *parameter = &g->parameters[p];
        struct dnnl_support_range *r = &s->ranges[p];
        r->first = base_array_below(s->index, s->count, parameter->offset);
        r->count =
            base_array_below(s->index, s->count, parameter->offset + parameter->count) - r->first;
        r->scattered = true;
        r->gathered = true;
    }
}

static admmnn_status make_layers(const graph *g, size_t samples, unsigned threads, bool every_layer,
                                 dnnl_support *s, admmnn_error *err) {
    for (uint32_t n = 0; n < g->node_count; n++) {
        const graph_node *node = &g->nodes[n];
        if (!may_be_listed(g, node))
            continue;
        struct dnnl_support_range *r = &s->ranges[node->weight];
        BASE_TRY(sparse_layer_create(g, node, s->index + r->first, r->first, r->count, samples,
                                     threads, every_layer, &s->layers[n], err));
        const sparse_layer *l = s->layers[n];
        if (l == NULL)
            continue;
        r->scattered = !l->runs[SPARSE_FORWARD] || !l->runs[SPARSE_DATA];
        r->gathered = !l->runs[SPARSE_WEIGHTS];
    }
    return ADMMNN_OK;
}

admmnn_status dnnl_support_create(const graph *g, const size_t *index, size_t count, size_t samples,
                                  unsigned threads, bool every_layer, dnnl_support **out,
                                  admmnn_error *err) {
    dnnl_support *s = base_array(1, sizeof *s);
    if (s == NULL)
        return base_fail_memory(err, "the support");
    s->count = count;
    s->node_count = g->node_count;
    s->parameter_count = g->parameter_count;
    s->index = base_array_copy(index, count, sizeof *index);
    s->layers = base_array(g->node_count, sizeof *s->layers);
    s->flat = base_array(g->flat_count, sizeof *s->flat);
    s->ranges = base_array(g->parameter_count, sizeof *s->ranges);
    const bool whole =
        s->index != NULL && s->layers != NULL && s->flat != NULL && s->ranges != NULL;
    if (whole)
        find_ranges(g, s);
    admmnn_status status = whole ? make_layers(g, samples, threads, every_layer, s, err)
                                 : base_fail_memory(err, "the support");
    if (status != ADMMNN_OK) {
        dnnl_support_free(s);
        return status;
    }
    *out = s;
    return ADMMNN_OK;
}

void dnnl_support_free(dnnl_support *s) {
    if (s == NULL)
        return;
    for (uint32_t n = 0; s->layers != NULL && n < s->node_count; n++)
        sparse_layer_free(s->layers[n]);
    base_free(s->layers);
    base_free(s->index);
    base_free(s->flat);
    base_free(s->ranges);
    base_free(s);
}

size_t dnnl_support_scratch(const dnnl_support *s, unsigned threads) {
    size_t floats = 0;
    for (uint32_t n = 0; n < s->node_count; n++) {
        const size_t wanted = s->layers[n] == NULL ? 0 : sparse_scratch(s->layers[n], threads);
        floats = wanted > floats ? wanted : floats;
    }
    return floats;
}

void dnnl_support_scatter(const dnnl_support *s, const float *params) {
    for (uint32_t p = 0; p < s->parameter_count; p++) {
        const struct dnnl_support_range *r = &s->ranges[p];
        for (size_t i = r->first; r->scattered && i < r->first + r->count; i++)
            s->flat[s->index[i]] = params[i];
    }
}

void dnnl_support_gather(const dnnl_support *s, const float *gradient, float *part) {
    for (uint32_t p = 0; p < s->parameter_count; p++) {
        const struct dnnl_support_range *r = &s->ranges[p];
        for (size_t i = r->first; r->gathered && i < r->first + r->count; i++)
            part[i] = gradient[s->index[i]];
    }
}
