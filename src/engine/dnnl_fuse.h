/* Which nodes of a graph are recorded, and which run together. */
#ifndef ENGINE_DNNL_FUSE_H
#define ENGINE_DNNL_FUSE_H

#include "engine/dnnl_record.h"

/* Fills d->nodes, and of the values how many nodes read them and whose gradients are wanted.
 * Nodes run together if the plan says so. */
void dnnl_fuse(dnnl_network *d);

#endif
