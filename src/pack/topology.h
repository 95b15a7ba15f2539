/* The graph in the file: see pack/format.h. */
#ifndef PACK_TOPOLOGY_H
#define PACK_TOPOLOGY_H

#include "base/bytes.h"
#include "graph/graph.h"

/* ADMMNN_USAGE when the graph is more than the file holds, or names are not what
 * it asks for: not empty, without control characters, each node's its own. */
admmnn_status topology_check(const graph *g, admmnn_error *err);
/* Of the format: the first that can tell the graph. */
unsigned topology_version(const graph *g);
bool topology_version_is_known(unsigned version);
void topology_write(const graph *g, unsigned version, base_writer *out);
/* ADMMNN_CORRUPT when the bytes describe no graph, or one too large. */
admmnn_status topology_read(base_reader *in, unsigned version, const char *name, graph **out,
                            admmnn_error *err);

/* A text: varint length, then the characters. */
void topology_write_text(const char *text, base_writer *out);
bool topology_read_text(base_reader *in, char *out, size_t size);

#endif
