/* Recipes side by side: a dot a seed, a line at the mean. */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>

#include "base/file.h"
#include "base/memory.h"
#include "report/figures.h"
#include "report/report.h"
#include "report/svg.h"

#define RECIPES_MAX 32
#define SEEDS_MAX 1000

typedef struct column {
    const char *name;
    double mean;
    size_t count;
    double values[SEEDS_MAX];
} column;

typedef struct columns {
    column all[RECIPES_MAX];
    size_t count;
} columns;

static bool take_column(const cJSON *recipe, column *c) {
    const cJSON *value;
    c->name = report_text(recipe, "recipe");
    c->mean = report_number(report_part(recipe, "packed"), "mean");
    cJSON_ArrayForEach(value, report_part(recipe, "packed_by_seed")) {
        if (c->count == SEEDS_MAX || !cJSON_IsNumber(value))
            return false;
        c->values[c->count++] = value->valuedouble;
    }
    return c->count > 0 && c->mean >= 0 && c->mean <= 1;
}

static bool take_columns(const cJSON *root, columns *c) {
    const cJSON *recipe;
    cJSON_ArrayForEach(recipe, report_part(root, "recipes")) {
        if (c->count == RECIPES_MAX || !take_column(recipe, &c->all[c->count++]))
            return false;
    }
    return c->count > 0;
}

static void fit_axes(svg_plot *plot, const columns *c) {
    double ends[2] = {INFINITY, -INFINITY};
    for (size_t k = 0; k < c->count; k++)
        for (size_t i = 0; i < c->all[k].count; i++) {
            ends[0] = fmin(ends[0], c->all[k].values[i]);
            ends[1] = fmax(ends[1], c->all[k].values[i]);
        }
    svg_axis_fit_values(&plot->y, ends, 2);
    svg_axis_integers(&plot->x, 1, c->count);
}

static void draw_column(svg_plot *plot, const column *c, size_t k) {
    const double x[] = {(double)k + 0.7, (double)k + 1.3};
    const double y[] = {c->mean, c->mean};
    svg_line(plot, x, y, 2, (unsigned)k, false);
    for (size_t i = 0; i < c->count; i++) {
        char tip[128];
        const double share = c->count > 1 ? (double)i / (double)(c->count - 1) - 0.5 : 0;
        snprintf(tip, sizeof tip, "%.64s, seed %zu of %zu: %.2f %%", c->name, i + 1, c->count,
                 100 * c->values[i]);
        svg_dot(plot, (double)k + 1 + 0.4 * share, c->values[i], (unsigned)k, tip);
    }
}

static void draw(base_writer *out, const columns *c) {
    svg_legend legend[RECIPES_MAX];
    for (size_t k = 0; k < c->count; k++)
        legend[k] = (svg_legend){c->all[k].name, (unsigned)k, SVG_MARK_DOT};
    svg_plot plot = {.out = out,
                     .width = 800,
                     .height = 470,
                     .left = 66,
                     .top = 72,
                     .right = 780,
                     .bottom = 420,
                     .x = {.label = "recipe, in the order below"},
                     .y = {.scale = SVG_ACCURACY,
                           .label = "test accuracy of the packed file, %, the axis logarithmic in "
                                    "the error: each seed, and the mean"},
                     .legend = legend,
                     .legend_count = c->count,
                     .title = "Recipes side by side",
                     .alone = true};
    fit_axes(&plot, c);
    svg_begin(&plot);
    for (size_t k = 0; k < c->count; k++)
        draw_column(&plot, &c->all[k], k);
    svg_end(&plot);
}

admmnn_status report_write_recipes(const char *path, const char *json, size_t size,
                                   admmnn_error *err) {
    columns *c = base_array(1, sizeof *c);
    base_writer out = {0};
    cJSON *root = cJSON_ParseWithLength(json, size);
    admmnn_status status = ADMMNN_OK;
    if (c == NULL)
        status = base_fail_memory(err, "the recipes' picture");
    else if (!take_columns(root, c))
        status = base_fail(err, ADMMNN_CORRUPT, "%s: the recipes' figures are not whole", path);
    if (status == ADMMNN_OK) {
        draw(&out, c);
        status = out.failed ? base_fail_memory(err, "the recipes' picture")
                            : base_file_write(path, out.bytes, out.count, err);
    }
    base_writer_free(&out);
    base_free(c);
    cJSON_Delete(root);
    return status;
}
