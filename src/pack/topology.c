#include "pack/topology.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "pack/format.h"
#include "pack/pack.h"
#include "pack/topology_parts.h"

/* The file's numbers are those of graph.h, set.h and pack.h. */
#define SAME(file, own) _Static_assert((int)(file) == (int)(own), #file " is not " #own);
#define SAME_OP(name, word) SAME(PACK_OP_##name, GRAPH_##name)
#define SAME_UNARY(name) SAME(PACK_UNARY_##name, GRAPH_##name)
#define SAME_BINARY(name) SAME(PACK_BINARY_##name, GRAPH_##name)
#define SAME_RESIZE(name) SAME(PACK_RESIZE_##name, GRAPH_RESIZE_##name)
#define SAME_PARAMETER(name) SAME(PACK_PARAMETER_##name, GRAPH_##name)
#define SAME_KIND(name) SAME(PACK_KIND_##name, ADMM_LEVELS_##name)
#define SAME_PLACES(name) SAME(PACK_PLACES_##name, PACK_POSITION_##name - PACK_POSITION_DENSE)
#define SAME_SYMBOLS(name) SAME(PACK_SYMBOLS_##name, PACK_CODER_##name - PACK_CODER_FIXED)
PACK_OP_MAP(SAME_OP)
PACK_UNARY_MAP(SAME_UNARY)
PACK_BINARY_MAP(SAME_BINARY)
PACK_RESIZE_MODE_MAP(SAME_RESIZE)
PACK_RESIZE_PLACE_MAP(SAME_RESIZE)
PACK_PARAMETER_MAP(SAME_PARAMETER)
PACK_KIND_MAP(SAME_KIND)
PACK_PLACES_MAP(SAME_PLACES)
PACK_SYMBOLS_MAP(SAME_SYMBOLS)
SAME(PACK_OP_COUNT, GRAPH_OP_COUNT)
SAME(PACK_UNARY_COUNT, GRAPH_UNARY_COUNT)
SAME(PACK_BINARY_COUNT, GRAPH_BINARY_COUNT)
SAME(PACK_REDUCE_SUM, GRAPH_REDUCE_SUM)
SAME(PACK_PAD_EDGE, GRAPH_PAD_EDGE)
SAME(PACK_PAD_REFLECT, GRAPH_PAD_REFLECT)
SAME(PACK_RANK_MAX, GRAPH_RANK_MAX)
SAME(PACK_NAME_MAX, GRAPH_NAME_MAX)
SAME(PACK_DIMENSION_MAX, GRAPH_DIMENSION_MAX)
SAME(PACK_PARAMETER_ALIGNMENT, GRAPH_PARAMETER_ALIGNMENT)

bool topology_is_name(const char *text) {
    return text[0] != 0 && base_text_is_plain(text);
}

static admmnn_status check_names(const graph *g, admmnn_error *err) {
    if (!topology_is_name(g->name))
        return base_fail(err, ADMMNN_USAGE, "the network's name cannot be packed");
    for (uint32_t n = 0; n < g->node_count; n++)
        if (!topology_is_name(g->nodes[n].name) || graph_find_node(g, g->nodes[n].name) != n)
            return base_fail(err, ADMMNN_USAGE,
                             "network %s: node %u's name is empty, taken or unprintable", g->name,
                             n);
    for (uint32_t p = 0; p < g->parameter_count; p++)
        if (g->parameters[p].name[0] != 0 && !topology_is_name(g->parameters[p].name))
            return base_fail(err, ADMMNN_USAGE, "network %s: parameter %u's name is unprintable",
                             g->name, p);
    return ADMMNN_OK;
}

admmnn_status topology_check(const graph *g, admmnn_error *err) {
    if (g->node_count == 0)
        return base_fail(err, ADMMNN_USAGE, "network %s has no operations", g->name);
    if (g->value_count - 1 > PACK_NODES_MAX || g->flat_count > PACK_PARAMETERS_MAX)
        return base_fail(err, ADMMNN_USAGE,
                         "network %s is too large for a packed file: %u operations and operands "
                         "that none makes, of at most %u, and %zu parameters, of at most %llu",
                         g->name, g->value_count - 1, PACK_NODES_MAX, g->flat_count,
                         (unsigned long long)PACK_PARAMETERS_MAX);
    return check_names(g, err);
}

unsigned topology_version(const graph *g) {
    return topology_is_chain(g) ? PACK_VERSION_CHAIN : PACK_VERSION_ANY;
}

bool topology_version_is_known(unsigned version) {
    return version == PACK_VERSION_CHAIN || version == PACK_VERSION_ANY;
}

void topology_write(const graph *g, unsigned version, base_writer *out) {
    if (version == PACK_VERSION_CHAIN)
        topology_write_chain(g, out);
    else
        topology_write_any(g, out);
}

admmnn_status topology_read(base_reader *in, unsigned version, const char *name, graph **out,
                            admmnn_error *err) {
    return version == PACK_VERSION_CHAIN ? topology_read_chain(in, name, out, err)
                                         : topology_read_any(in, name, out, err);
}

/* ---- what both versions do ---- */

void topology_write_text(const char *text, base_writer *out) {
    base_write_varint(out, strlen(text));
    base_write_bytes(out, text, strlen(text));
}

bool topology_read_text(base_reader *in, char *out, size_t size) {
    uint64_t length = base_read_varint(in);
    const uint8_t *bytes = length < size ? base_read_bytes(in, (size_t)length) : NULL;
    if (bytes == NULL)
        return false;
    memcpy(out, bytes, (size_t)length);
    out[length] = 0;
    return strlen(out) == length && topology_is_name(out);
}

uint32_t topology_read_u32(base_reader *in) {
    uint64_t value = base_read_varint(in);
    if (value > UINT32_MAX)
        in->failed = true;
    return (uint32_t)value;
}

void topology_usual_name(graph_op op, uint32_t number, char name[GRAPH_NAME_MAX]) {
    static const char *const words[PACK_OP_COUNT] = {
#define OP_WORD(name, word) word,
        PACK_OP_MAP(OP_WORD)
#undef OP_WORD
    };
    snprintf(name, GRAPH_NAME_MAX, "%s%u", words[op], number);
}

admmnn_status topology_fail(graph *g, admmnn_status status, admmnn_error *err) {
    graph_free(g);
    if (status == ADMMNN_MEMORY || status == ADMMNN_CORRUPT)
        return status;
    return base_fail_within(err, ADMMNN_CORRUPT, "the network's description");
}

admmnn_status topology_check_size(const graph *g, admmnn_error *err) {
    if (g->flat_count <= PACK_PARAMETERS_MAX)
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_CORRUPT, "more parameters than a file may describe");
}
