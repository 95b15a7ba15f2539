/* Layers sparse against dense, by the share of their weights that is pruned. */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>

#include "base/file.h"
#include "base/memory.h"
#include "report/figures.h"
#include "report/report.h"
#include "report/svg.h"

#define SHAPES_MAX 64
#define POINTS_MAX 16
#define EQUAL_COLOUR (SVG_COLOURS - 1U)

/* A shape's line: how many times as fast as dense. */
typedef struct line {
    char name[160];
    size_t count;
    double pruned[POINTS_MAX], ratio[POINTS_MAX];
} line;

typedef struct lines {
    line lines[SHAPES_MAX];
    svg_legend legend[SHAPES_MAX + 1]; /* theirs, and that of what is as fast */
    size_t count;
} lines;

static bool take_line(const cJSON *shape, line *l) {
    const double layers = report_number(shape, "layers");
    const cJSON *point;
    snprintf(l->name, sizeof l->name, "%s: %s", report_text(shape, "layer"),
             report_text(shape, "shape"));
    l->count = 0;
    cJSON_ArrayForEach(point, report_part(shape, "points")) {
        if (l->count == POINTS_MAX)
            return false;
        l->pruned[l->count] = 100.0 * (1.0 - report_number(point, "kept"));
        l->ratio[l->count++] = report_number(point, "dense_us") / report_number(point, "sparse_us");
    }
    return layers >= 1.0 && l->count > 0;
}

static bool take_lines(const cJSON *root, lines *all) {
    const cJSON *shape;
    all->count = 0;
    cJSON_ArrayForEach(shape, report_part(root, "shapes")) {
        if (all->count == SHAPES_MAX)
            break; /* more than anyone can tell apart */
        line *l = &all->lines[all->count];
        if (!take_line(shape, l))
            return false;
        all->legend[all->count] = (svg_legend){l->name, (unsigned)all->count, SVG_MARK_LINE};
        all->count++;
    }
    all->legend[all->count] = (svg_legend){"as fast as dense", EQUAL_COLOUR, SVG_MARK_DASH};
    return all->count > 0;
}

static void fit(const lines *all, svg_axis *axis) {
    double ends[2] = {1.0, 1.0}; /* where both are equal is to be seen */
    for (size_t i = 0; i < all->count; i++)
        for (size_t k = 0; k < all->lines[i].count; k++) {
            ends[0] = fmin(ends[0], all->lines[i].ratio[k]);
            ends[1] = fmax(ends[1], all->lines[i].ratio[k]);
        }
    svg_axis_fit_values(axis, ends, 2);
}

static void draw(base_writer *out, const cJSON *root, const lines *all) {
    static const double across[2] = {0.0, 100.0};
    static const double equal[2] = {1.0, 1.0};
    const double threads = report_number(root, "threads");
    char title[160];
    snprintf(title, sizeof title, "%.40s, one sample, %.0f thread%s: sparse against oneDNN dense",
             report_text(root, "model"), threads, threads == 1.0 ? "" : "s");
    svg_plot plot = {.out = out,
                     .width = 900,
                     .height = 490,
                     .left = 66,
                     .top = 72,
                     .right = 880,
                     .bottom = 440,
                     .x = {.label = "weights pruned", .suffix = " %"},
                     .y = {.scale = SVG_LOG, .label = "times as fast as dense"},
                     .legend = all->legend,
                     .legend_count = all->count + 1,
                     .title = title,
                     .alone = true};
    svg_axis_fit(&plot.x, across[0], across[1]);
    fit(all, &plot.y);
    svg_begin(&plot);
    svg_line(&plot, across, equal, 2, EQUAL_COLOUR, true);
    for (size_t i = 0; i < all->count; i++)
        svg_line(&plot, all->lines[i].pruned, all->lines[i].ratio, all->lines[i].count, (unsigned)i,
                 false);
    svg_end(&plot);
}

admmnn_status report_write_break_even(const char *path, const char *json, size_t size,
                                      admmnn_error *err) {
    base_writer out = {0};
    cJSON *root = cJSON_ParseWithLength(json, size);
    lines *all = base_array(1, sizeof *all);
    admmnn_status status = ADMMNN_OK;
    if (all == NULL)
        status = base_fail_memory(err, "the picture");
    else if (!take_lines(root, all))
        status = base_fail(err, ADMMNN_CORRUPT, "%s: the figures are not whole", path);
    if (status == ADMMNN_OK) {
        draw(&out, root, all);
        status = out.failed ? base_fail_memory(err, "the picture")
                            : base_file_write(path, out.bytes, out.count, err);
    }
    base_writer_free(&out);
    base_free(all);
    cJSON_Delete(root);
    return status;
}
