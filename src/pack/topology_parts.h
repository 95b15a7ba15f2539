/* What the versions of the graph in the file have in common, and what each does. */
#ifndef PACK_TOPOLOGY_PARTS_H
#define PACK_TOPOLOGY_PARTS_H

#include "pack/topology.h"

/* Not empty and without control characters: texts end up in messages and in other formats. */
bool topology_is_name(const char *text);
/* A varint of 32 bits; larger ones fail the reader. */
uint32_t topology_read_u32(base_reader *in);
/* "conv1": the operation's usual name and its number among its kind. */
void topology_usual_name(graph_op op, uint32_t number, char name[GRAPH_NAME_MAX]);

/* topology_chain.c: version 1, of chains of few operations. */
bool topology_is_chain(const graph *g);
void topology_write_chain(const graph *g, base_writer *out);
admmnn_status topology_read_chain(base_reader *in, const char *name, graph **out,
                                  admmnn_error *err);

/* topology_any.c: version 2, of any graph. */
void topology_write_any(const graph *g, base_writer *out);
admmnn_status topology_read_any(base_reader *in, const char *name, graph **out, admmnn_error *err);

/* Frees what was read so far; what no graph can be is damage of the file. */
admmnn_status topology_fail(graph *g, admmnn_status status, admmnn_error *err);
/* ADMMNN_CORRUPT where a file may not describe as many parameters. */
admmnn_status topology_check_size(const graph *g, admmnn_error *err);

#endif
