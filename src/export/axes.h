/* How an operation walks the elements of a value: for each axis of its result, where index i
 * stands. */
#ifndef EXPORT_AXES_H
#define EXPORT_AXES_H

#include "export/job.h"

#define EXPORT_NOWHERE UINT32_MAX

typedef struct export_axis {
    uint32_t count, stride; /* index i stands at i * stride */
    uint32_t *places;       /* or here; NULL: by the stride */
} export_axis;

typedef struct export_axes {
    uint32_t rank;
    export_axis axes[GRAPH_RANK_MAX];
} export_axes;

/* The axes of a value of shape `from` that is broadcast to `to`. */
export_axes export_axes_broadcast(graph_shape from, graph_shape to);
/* Axis `axis` has places of its own, all 0; NULL: no memory. */
uint32_t *export_axes_places(export_axes *axes, uint32_t axis);
/* lists[count] of the same counts: neighbours that are walked like one axis become one, in all
 * lists alike; at least one axis is left. */
void export_axes_join(export_axes *lists, uint32_t count);
/* A static array of the type `axis`. */
void export_axes_write(export_job *job, const char *name, const export_axes *axes);
void export_axes_free(export_axes *axes);

#endif
