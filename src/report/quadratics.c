/* The experiment on quadratics: what methods reach above the true optimum. */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "report/figures.h"
#include "report/report.h"
#include "report/svg.h"

#define METHODS_MAX 8
#define INSTANCES_MAX 1000
#define RHOS_MAX 32

static const char *const figures[5] = {"least", "lower_quartile", "median", "upper_quartile",
                                       "greatest"};

/* One of the two parts of the file: instances[] and methods[]. */
typedef struct part {
    const cJSON *methods;
    size_t method_count, instance_count;
    bool proven; /* every optimum */
    double optimum[INSTANCES_MAX];
} part;

static bool take_part(const cJSON *root, part *p) {
    const cJSON *instances = report_part(root, "instances");
    const cJSON *instance;
    p->methods = report_part(root, "methods");
    p->method_count = (size_t)cJSON_GetArraySize(p->methods);
    p->instance_count = 0;
    p->proven = true;
    cJSON_ArrayForEach(instance, instances) {
        if (p->instance_count == INSTANCES_MAX)
            return false;
        p->optimum[p->instance_count++] = report_number(instance, "optimum");
        p->proven &= cJSON_IsTrue(report_part(instance, "proven")) != 0;
    }
    return p->method_count > 0 && p->method_count <= METHODS_MAX && p->instance_count > 0;
}

/* A figure of a setting on an instance, above the optimum; 0: the optimum, NAN: none. */
static double gap_of(const part *p, const cJSON *setting, const char *figure, size_t instance) {
    const cJSON *values = report_part(setting, figure);
    const cJSON *value = cJSON_GetArrayItem(values, (int)instance);
    if (!cJSON_IsNumber(value))
        return NAN;
    return report_gap(value->valuedouble, p->optimum[instance]);
}

static const cJSON *best_of(const cJSON *method) {
    return cJSON_GetArrayItem(report_part(method, "settings"), (int)report_number(method, "best"));
}

/* Below the least of values[count] that is no zero. */
static double floor_of(const double *values, size_t count) {
    double least = INFINITY;
    for (size_t i = 0; i < count; i++)
        if (values[i] > 0)
            least = fmin(least, values[i]);
    return least < INFINITY ? least / 3 : 1;
}

/* Fits a logarithmic axis, and gives where its zeros are drawn: at its foot. */
static double fit_gaps(svg_axis *axis, const double *values, size_t count) {
    double ends[2] = {INFINITY, -INFINITY};
    const double lowest = floor_of(values, count);
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i]))
            continue;
        ends[0] = fmin(ends[0], fmax(values[i], lowest));
        ends[1] = fmax(ends[1], fmax(values[i], lowest));
    }
    svg_axis_fit_values(axis, ends, 2);
    return pow(10, axis->least);
}

static void fill_legend(const part *p, svg_legend *legend, svg_mark mark) {
    for (size_t m = 0; m < p->method_count; m++)
        legend[m] = (svg_legend){report_text(cJSON_GetArrayItem(p->methods, (int)m), "method"),
                                 (unsigned)m, mark};
}

static void write_title(const cJSON *root, const char *what, char *title, size_t size) {
    snprintf(title, size, "Quadratics of %.0f coordinates, v = %g: %s",
             report_number(root, "dimension"), report_number(root, "condition"), what);
}

/* ---- boxes ---- */

typedef struct boxes {
    double gaps[METHODS_MAX][INSTANCES_MAX][5];
} boxes;

static void take_boxes(const part *p, boxes *all) {
    for (size_t m = 0; m < p->method_count; m++)
        for (size_t i = 0; i < INSTANCES_MAX; i++)
            for (size_t k = 0; k < 5; k++)
                all->gaps[m][i][k] =
                    i < p->instance_count
                        ? gap_of(p, best_of(cJSON_GetArrayItem(p->methods, (int)m)), figures[k], i)
                        : NAN;
}

static void draw_box(svg_plot *plot, const part *p, const double *gaps, double lowest,
                     size_t method, size_t instance) {
    char tip[160];
    double drawn[5];
    if (!isfinite(gaps[4])) /* some diverged */
        return;
    snprintf(tip, sizeof tip, "%.40s, instance %zu: median %.4g above the optimum, %.4g to %.4g",
             report_text(cJSON_GetArrayItem(p->methods, (int)method), "method"), instance + 1,
             gaps[2], gaps[0], gaps[4]);
    const double step = 0.8 / (double)p->method_count;
    const double x = (double)instance + 1 - 0.4 + step * ((double)method + 0.5);
    for (size_t k = 0; k < 5; k++)
        drawn[k] = fmax(gaps[k], lowest);
    svg_box(plot, x, 0.38 * step, drawn, (unsigned)method, tip);
}

static void draw_boxes(base_writer *out, const cJSON *root, const part *p, boxes *all) {
    char title[160];
    svg_legend legend[METHODS_MAX];
    write_title(root, "what other instances showed", title, sizeof title);
    fill_legend(p, legend, SVG_MARK_AREA);
    svg_plot plot = {.out = out,
                     .width = 900,
                     .height = 470,
                     .left = 66,
                     .top = 72,
                     .right = 880,
                     .bottom = 420,
                     .x = {.label = "instance"},
                     .y = {.scale = SVG_LOG,
                           .label = p->proven ? "objective above the true optimum, over all starts "
                                                "(at the foot: the optimum itself)"
                                              : "objective above the optimum, or the best point "
                                                "of its unfinished search, over all starts"},
                     .legend = legend,
                     .legend_count = p->method_count,
                     .title = title,
                     .alone = true};
    svg_axis_integers(&plot.x, 1, p->instance_count);
    const double lowest =
        fit_gaps(&plot.y, &all->gaps[0][0][0], p->method_count * INSTANCES_MAX * 5);
    svg_begin(&plot);
    for (size_t i = 0; i < p->instance_count; i++)
        for (size_t m = 0; m < p->method_count; m++)
            draw_box(&plot, p, all->gaps[m][i], lowest, m, i);
    svg_end(&plot);
}

/* ---- against rho ---- */

typedef struct rho_line {
    size_t count;
    double rho[RHOS_MAX], gap[RHOS_MAX];
} rho_line;

static int by_value(const void *left, const void *right) {
    const double a = *(const double *)left;
    const double b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The median over the instances of a setting's medians; NAN where most diverged. */
static double middle_gap(const part *p, const cJSON *setting) {
    double gaps[INSTANCES_MAX] = {0};
    for (size_t i = 0; i < p->instance_count; i++) {
        gaps[i] = gap_of(p, setting, "median", i);
        gaps[i] = isnan(gaps[i]) ? INFINITY : gaps[i];
    }
    qsort(gaps, p->instance_count, sizeof *gaps, by_value);
    const double middle = 0.5 * (gaps[(p->instance_count - 1) / 2] + gaps[p->instance_count / 2]);
    return isfinite(middle) ? middle : NAN;
}

/* At each rho the setting with the least. */
static bool take_line(const part *p, const cJSON *method, rho_line *line) {
    const cJSON *setting;
    line->count = 0;
    cJSON_ArrayForEach(setting, report_part(method, "settings")) {
        const double rho = report_number(setting, "rho_relative");
        const double gap = middle_gap(p, setting);
        size_t at = 0;
        while (at < line->count && line->rho[at] != rho)
            at++;
        if (at == RHOS_MAX)
            return false;
        if (at == line->count) {
            line->rho[line->count] = rho;
            line->gap[line->count++] = gap;
        } else if (!(line->gap[at] <= gap)) {
            line->gap[at] = gap;
        }
    }
    return true;
}

static bool draw_lines(base_writer *out, const cJSON *root, const part *p) {
    char title[160];
    svg_legend legend[METHODS_MAX];
    rho_line lines[METHODS_MAX];
    double gaps[METHODS_MAX * RHOS_MAX];
    size_t count = 0;
    for (size_t m = 0; m < p->method_count; m++) {
        if (!take_line(p, cJSON_GetArrayItem(p->methods, (int)m), &lines[m]))
            return false;
        for (size_t i = 0; i < lines[m].count; i++)
            gaps[count++] = lines[m].gap[i];
    }
    write_title(root, "what rho does", title, sizeof title);
    fill_legend(p, legend, SVG_MARK_LINE);
    svg_plot plot = {.out = out,
                     .width = 800,
                     .height = 470,
                     .left = 66,
                     .top = 72,
                     .right = 780,
                     .bottom = 420,
                     .x = {.scale = SVG_LOG,
                           .label = "rho / L, at each the beta or probability of the "
                                    "least median; where a line ends, most runs diverged"},
                     .y = {.scale = SVG_LOG,
                           .label = p->proven ? "median over the instances of the median over "
                                                "the starts, above the true optimum"
                                              : "median over the instances of the median over the "
                                                "starts, above the best point that was found"},
                     .legend = legend,
                     .legend_count = p->method_count,
                     .title = title,
                     .alone = true};
    svg_axis_fit_values(&plot.x, lines[0].rho, lines[0].count);
    const double lowest = fit_gaps(&plot.y, gaps, count);
    svg_begin(&plot);
    for (size_t m = 0; m < p->method_count; m++) {
        for (size_t i = 0; i < lines[m].count; i++)
            lines[m].gap[i] = lines[m].gap[i] <= 0 ? lowest : lines[m].gap[i];
        svg_line(&plot, lines[m].rho, lines[m].gap, lines[m].count, (unsigned)m, false);
    }
    svg_end(&plot);
    return true;
}

/* ---- files ---- */

static admmnn_status fail_part(const char *path, admmnn_error *err) {
    return base_fail(err, ADMMNN_CORRUPT, "%s: the experiment's figures are not whole", path);
}

static admmnn_status write_out(const char *path, base_writer *out, admmnn_error *err) {
    admmnn_status status = out->failed ? base_fail_memory(err, "the experiment's picture")
                                       : base_file_write(path, out->bytes, out->count, err);
    base_writer_free(out);
    return status;
}

admmnn_status report_write_quadratics(const char *path, const char *json, size_t size,
                                      admmnn_error *err) {
    part p;
    base_writer out = {0};
    cJSON *root = cJSON_ParseWithLength(json, size);
    boxes *all = base_array(1, sizeof *all);
    admmnn_status status = ADMMNN_OK;
    if (all == NULL)
        status = base_fail_memory(err, "the experiment's picture");
    else if (!take_part(report_part(root, "held_out"), &p))
        status = fail_part(path, err);
    if (status == ADMMNN_OK) {
        take_boxes(&p, all);
        draw_boxes(&out, root, &p, all);
        status = write_out(path, &out, err);
    }
    base_free(all);
    cJSON_Delete(root);
    return status;
}

admmnn_status report_write_quadratics_rho(const char *path, const char *json, size_t size,
                                          admmnn_error *err) {
    part p;
    base_writer out = {0};
    cJSON *root = cJSON_ParseWithLength(json, size);
    admmnn_status status = ADMMNN_OK;
    if (!take_part(root, &p) || !draw_lines(&out, root, &p))
        status = fail_part(path, err);
    if (status == ADMMNN_OK)
        status = write_out(path, &out, err);
    else
        base_writer_free(&out);
    cJSON_Delete(root);
    return status;
}
