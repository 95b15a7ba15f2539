#include "export/axes.h"

#include <stdio.h>

#include "base/memory.h"

/* Of a table, where pointers have four bytes. */
#define AXIS_BYTES 12U

export_axes export_axes_broadcast(graph_shape from, graph_shape to) {
    export_axes axes = {.rank = to.rank};
    const uint32_t added = to.rank - from.rank;
    for (uint32_t i = 0; i < to.rank; i++) {
        axes.axes[i].count = to.dims[i];
        if (i >= added && from.dims[i - added] != 1)
            axes.axes[i].stride = (uint32_t)graph_shape_extent(from, i - added + 1, from.rank);
    }
    return axes;
}

uint32_t *export_axes_places(export_axes *axes, uint32_t axis) {
    export_axis *a = &axes->axes[axis];
    a->places = base_array(a->count, sizeof *a->places);
    return a->places;
}

static bool is_joined(const export_axis *left, const export_axis *right) {
    return left->places == NULL && right->places == NULL &&
           (left->count == 1 || right->count == 1 || left->stride == right->stride * right->count);
}

/* The axis at i and the one behind it. */
static void join(export_axes *axes, uint32_t i) {
    export_axis *left = &axes->axes[i];
    const export_axis *right = &axes->axes[i + 1];
    left->stride = right->count == 1 ? left->stride : right->stride;
    left->count *= right->count;
    axes->rank--;
    for (uint32_t k = i + 1; k < axes->rank; k++)
        axes->axes[k] = axes->axes[k + 1];
}

void export_axes_join(export_axes *lists, uint32_t count) {
    for (uint32_t i = 0; i + 1 < lists[0].rank;) {
        bool joined = true;
        for (uint32_t k = 0; k < count; k++)
            joined &= is_joined(&lists[k].axes[i], &lists[k].axes[i + 1]);
        for (uint32_t k = 0; joined && k < count; k++)
            join(&lists[k], i);
        i += !joined;
    }
    for (uint32_t k = 0; lists[0].rank == 0 && k < count; k++)
        lists[k].axes[0] = (export_axis){1, 0, NULL};
    for (uint32_t k = 0; k < count; k++)
        lists[k].rank = lists[k].rank == 0 ? 1 : lists[k].rank;
}

void export_axes_write(export_job *job, const char *name, const export_axes *axes) {
    char places[GRAPH_RANK_MAX][EXPORT_TEXT_MAX + 16];
    for (uint32_t i = 0; i < axes->rank; i++) {
        const export_axis *a = &axes->axes[i];
        snprintf(places[i], sizeof places[i], "%s_places_%u", name, i);
        if (a->places == NULL)
            continue;
        export_write_places(&job->data, places[i], a->places, a->count);
        job->sizes.tables += a->count * sizeof(uint32_t);
    }
    base_write_text(&job->data, "static const axis %s[] = {", name);
    for (uint32_t i = 0; i < axes->rank; i++) {
        const export_axis *a = &axes->axes[i];
        base_write_text(&job->data, "%s{%uU, %uU, %s}", i == 0 ? "" : ", ", a->count, a->stride,
                        a->places == NULL ? "NULL" : places[i]);
    }
    base_write_text(&job->data, "};\n");
    job->sizes.tables += axes->rank * AXIS_BYTES;
}

void export_axes_free(export_axes *axes) {
    for (uint32_t i = 0; i < axes->rank; i++)
        base_free(axes->axes[i].places);
}
