/* Accuracy against compression, one line a method. */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "report/figures.h"
#include "report/report.h"
#include "report/svg.h"

#define METHODS_MAX 16
#define POINTS_MAX 64
#define COLOUR_DENSE 7

/* One method's points, by rising ratio: weights of the network over weights kept. */
typedef struct method_line {
    const char *label;
    bool dense; /* a level, not a line */
    unsigned colour;
    size_t count;
    double ratio[POINTS_MAX], mean[POINTS_MAX], low[POINTS_MAX], high[POINTS_MAX];
} method_line;

typedef struct comparison_lines {
    method_line lines[METHODS_MAX];
    size_t count;
    double seeds;
} comparison_lines;

static bool take_point(const cJSON *point, double weights, method_line *line) {
    const cJSON *accuracy = report_part(point, "test_accuracy");
    double kept = report_number(report_part(point, "kept"), "mean");
    if (kept == 0.0) /* nothing is left, at no ratio that an axis has */
        return true;
    double ratio = weights / kept;
    double mean = report_number(accuracy, "mean");
    double deviation = report_number(accuracy, "deviation");
    if (!(ratio > 0 && ratio < 1e9 && mean >= 0 && mean <= 1 && deviation >= 0))
        return false;
    if (line->count == POINTS_MAX)
        return false;
    size_t at = line->count++;
    for (; at > 0 && line->ratio[at - 1] > ratio; at--) {
        line->ratio[at] = line->ratio[at - 1];
        line->mean[at] = line->mean[at - 1];
        line->low[at] = line->low[at - 1];
        line->high[at] = line->high[at - 1];
    }
    line->ratio[at] = ratio;
    line->mean[at] = mean;
    line->low[at] = fmax(0, mean - deviation);
    line->high[at] = fmin(1, mean + deviation);
    return true;
}

static bool take_method(const cJSON *method, double weights, comparison_lines *all) {
    const char *name = report_text(method, "method");
    if (strcmp(name, "start") == 0)
        return true;
    if (all->count == METHODS_MAX)
        return false;
    method_line *line = &all->lines[all->count];
    *line =
        (method_line){.label = report_text(method, "label"), .dense = strcmp(name, "dense") == 0};
    line->colour = line->dense ? COLOUR_DENSE : (unsigned)all->count;
    for (size_t i = 0; i < all->count && !line->dense; i++)
        line->colour -= all->lines[i].dense ? 1 : 0;
    const cJSON *point;
    cJSON_ArrayForEach(point, report_part(method, "points")) {
        if (!take_point(point, weights, line))
            return false;
    }
    all->count += line->count > 0;
    return true;
}

static bool take_all(const cJSON *root, comparison_lines *all) {
    double weights = report_number(root, "weights");
    all->seeds = report_number(root, "seeds");
    const cJSON *methods = report_part(root, "methods");
    const cJSON *method;
    cJSON_ArrayForEach(method, methods) {
        if (!take_method(method, weights, all))
            return false;
    }
    return cJSON_GetArraySize(methods) > 0 && weights > 0;
}

static void fit_axes(svg_plot *plot, const comparison_lines *all) {
    double ratios[METHODS_MAX * POINTS_MAX];
    double accuracies[2 * METHODS_MAX * POINTS_MAX];
    size_t ratio_count = 0;
    size_t accuracy_count = 0;
    for (size_t m = 0; m < all->count; m++)
        for (size_t i = 0; i < all->lines[m].count; i++) {
            if (!all->lines[m].dense)
                ratios[ratio_count++] = all->lines[m].ratio[i];
            accuracies[accuracy_count++] = all->lines[m].low[i];
            accuracies[accuracy_count++] = all->lines[m].high[i];
        }
    svg_axis_fit_values(&plot->x, ratios, ratio_count);
    svg_axis_fit_values(&plot->y, accuracies, accuracy_count);
}

/* The dense network's accuracy from edge to edge. */
static void draw_dense(svg_plot *plot, const method_line *line) {
    const double edges[] = {pow(10, plot->x.least), pow(10, plot->x.most)};
    const double low[] = {line->low[0], line->low[0]};
    const double high[] = {line->high[0], line->high[0]};
    const double mean[] = {line->mean[0], line->mean[0]};
    svg_band(plot, edges, low, high, 2, line->colour);
    svg_line(plot, edges, mean, 2, line->colour, true);
}

static void draw_method(svg_plot *plot, const method_line *line) {
    if (line->count > 1)
        svg_line(plot, line->ratio, line->mean, line->count, line->colour, false);
    for (size_t i = 0; i < line->count; i++) {
        char tip[160];
        snprintf(tip, sizeof tip, "%.80s: %.1f\u00D7, %.2f %% \u00B1 %.2f", line->label,
                 line->ratio[i], 100 * line->mean[i], 100 * (line->high[i] - line->mean[i]));
        svg_dot(plot, line->ratio[i], line->mean[i], line->colour, tip);
    }
}

/* Bands first, so that none lies on a line; the first method last, on top. */
static void draw_lines(svg_plot *plot, const comparison_lines *all) {
    for (size_t m = all->count; m-- > 0;) {
        const method_line *line = &all->lines[m];
        if (line->dense)
            draw_dense(plot, line);
        else
            svg_band(plot, line->ratio, line->low, line->high, line->count, line->colour);
    }
    for (size_t m = all->count; m-- > 0;)
        if (!all->lines[m].dense)
            draw_method(plot, &all->lines[m]);
}

static void draw(base_writer *out, const char *model, const comparison_lines *all) {
    char title[160];
    snprintf(title, sizeof title, "%.60s: accuracy against compression, %.0f seed%s", model,
             all->seeds, all->seeds == 1 ? "" : "s");
    svg_legend legend[METHODS_MAX];
    for (size_t m = 0; m < all->count; m++)
        legend[m] = (svg_legend){all->lines[m].label, all->lines[m].colour,
                                 all->lines[m].dense ? SVG_MARK_DASH : SVG_MARK_LINE};
    svg_plot plot = {.out = out,
                     .width = 800,
                     .height = 470,
                     .left = 66,
                     .top = 72,
                     .right = 780,
                     .bottom = 420,
                     .x = {.scale = SVG_LOG,
                           .label = "weights of the network / weights kept",
                           .suffix = "\u00D7"},
                     .y = {.scale = SVG_ACCURACY,
                           .label = "test accuracy, %; bands are \u00B1 one standard deviation"},
                     .legend = legend,
                     .legend_count = all->count,
                     .title = title,
                     .alone = true};
    fit_axes(&plot, all);
    svg_begin(&plot);
    draw_lines(&plot, all);
    svg_end(&plot);
}

admmnn_status report_write_comparison(const char *path, const char *json, size_t size,
                                      admmnn_error *err) {
    comparison_lines all = {.count = 0};
    base_writer out = {0};
    cJSON *root = cJSON_ParseWithLength(json, size);
    admmnn_status status = ADMMNN_OK;
    if (!cJSON_IsObject(root) || !take_all(root, &all))
        status = base_fail(err, ADMMNN_CORRUPT, "%s: the comparison's figures are not whole", path);
    if (status == ADMMNN_OK) {
        draw(&out, report_text(root, "model"), &all);
        status = out.failed ? base_fail_memory(err, "the comparison's picture")
                            : base_file_write(path, out.bytes, out.count, err);
    }
    base_writer_free(&out);
    cJSON_Delete(root);
    return status;
}
