#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "report/panels.h"
#include "report/svg.h"
#include "report/text.h"

#define COLOUR_VALIDATION 0
#define COLOUR_TRAINING 7
#define COLOUR_PROJECTION 1

/* Stages take colours that the curves do not have. */
static unsigned stage_colour(uint32_t stage) {
    static const unsigned colours[] = {5, 1, 2, 4, 3, 6};
    return colours[stage % (sizeof colours / sizeof colours[0])];
}

/* All that is drawn over the run's epochs, one entry an epoch. */
typedef struct epoch_columns {
    double *at, *train, *validation, *both;
} epoch_columns;

static bool columns_create(const report_figures *f, epoch_columns *c) {
    c->both = base_array(2 * f->epoch_count + f->projection_count, sizeof *c->both);
    c->at = base_array(f->epoch_count, sizeof *c->at);
    for (size_t i = 0; c->at != NULL && i < f->epoch_count; i++)
        c->at[i] = (double)(i + 1);
    if (c->both == NULL || c->at == NULL)
        return false;
    c->train = c->both;
    c->validation = c->both + f->epoch_count;
    return true;
}

static void columns_free(epoch_columns *c) {
    base_free(c->both);
    base_free(c->at);
}

static double total_weights(const report_figures *f) {
    double total = 0;
    const cJSON *layer;
    cJSON_ArrayForEach(layer, report_part(f->result, "layers")) {
        double weights = report_number(layer, "weights");
        total += weights > 0 ? weights : 0;
    }
    return total;
}

/* "86×" for the round's ratio; "" when it is not in the log. */
static void round_text(const report_figures *f, uint32_t round, char *text, size_t size) {
    text[0] = 0;
    double weights = total_weights(f);
    for (size_t i = 0; i < f->projection_count; i++)
        if (f->projections[i].round == round && f->projections[i].kept > 0 && weights > 0) {
            snprintf(text, size, "%.0f\u00D7", weights / f->projections[i].kept);
            return;
        }
}

/* A stripe for each stretch of one stage and round. */
static void draw_stages(svg_plot *plot, const report_figures *f) {
    size_t from = 0;
    for (size_t i = 1; i <= f->epoch_count; i++) {
        const report_epoch *first = &f->epochs[from];
        if (i < f->epoch_count && f->epochs[i].stage == first->stage &&
            f->epochs[i].round == first->round)
            continue;
        svg_stripe(plot, (double)from + 0.5, (double)i + 0.5, stage_colour(first->stage));
        from = i;
    }
}

/* The rounds' ratios stand once, over all of a round's stages. */
static void draw_rounds(svg_plot *plot, const report_figures *f) {
    size_t from = 0;
    for (size_t i = 1; i <= f->epoch_count; i++) {
        if (i < f->epoch_count && f->epochs[i].round == f->epochs[from].round)
            continue;
        char text[32];
        round_text(f, f->epochs[from].round, text, sizeof text);
        svg_head(plot, (double)from + 0.5, (double)i + 0.5, text);
        from = i;
    }
}

typedef struct legend_list {
    svg_legend entries[REPORT_NAMES_MAX + 4];
    size_t count;
} legend_list;

static void legend_add(legend_list *list, const char *text, unsigned colour, svg_mark mark) {
    if (list->count < sizeof list->entries / sizeof list->entries[0])
        list->entries[list->count++] = (svg_legend){text, colour, mark};
}

/* Stages that have epochs, in the order they came. */
static void legend_stages(legend_list *list, const report_figures *f) {
    bool seen[REPORT_NAMES_MAX] = {false};
    for (size_t i = 0; i < f->epoch_count; i++) {
        uint32_t stage = f->epochs[i].stage;
        if (!seen[stage])
            legend_add(list, f->stages.text[stage], stage_colour(stage), SVG_MARK_AREA);
        seen[stage] = true;
    }
}

static void draw_curves(base_writer *out, const report_figures *f, const epoch_columns *c,
                        svg_plot *plot, bool accuracy) {
    legend_list list = {.count = 0};
    legend_add(&list, "validation", COLOUR_VALIDATION, SVG_MARK_LINE);
    legend_add(&list, "training", COLOUR_TRAINING, SVG_MARK_LINE);
    if (accuracy && f->projection_count > 0)
        legend_add(&list, "right after a hard projection", COLOUR_PROJECTION, SVG_MARK_DOT);
    legend_stages(&list, f);
    plot->legend = list.entries;
    plot->legend_count = list.count;
    plot->out = out;
    svg_begin(plot);
    draw_stages(plot, f);
    draw_rounds(plot, f);
    svg_line(plot, c->at, c->train, f->epoch_count, COLOUR_TRAINING, false);
    svg_line(plot, c->at, c->validation, f->epoch_count, COLOUR_VALIDATION, false);
    for (size_t i = 0; accuracy && i < f->projection_count; i++) {
        char tip[96];
        snprintf(tip, sizeof tip, "right after the projection: %.2f %%",
                 100 * f->projections[i].after);
        svg_dot(plot, (double)f->projections[i].at + 0.5, f->projections[i].after,
                COLOUR_PROJECTION, tip);
    }
    svg_end(plot);
}

static svg_plot epochs_plot(const report_figures *f, const char *title, svg_scale scale,
                            const char *label) {
    svg_plot plot = {.height = 306,
                     .left = 62,
                     .top = 42,
                     .bottom = 256,
                     .x = {.label = "epoch of the whole run"},
                     .y = {.scale = scale, .label = label},
                     .title = title};
    svg_axis_integers(&plot.x, 1, f->epoch_count);
    return plot;
}

/* Twice: letters of the wide plot are not to be read where it shrinks to a telephone's
 * width. The page shows the one that fits. clip: two numbers from it. */
static void draw_curves_twice(base_writer *out, const report_figures *f, const epoch_columns *c,
                              svg_plot *plot, bool accuracy, unsigned clip) {
    static const struct {
        const char *class;
        double width;
    } sizes[] = {{"wide", 1000}, {"narrow", 440}};
    for (unsigned i = 0; i < 2; i++) {
        plot->width = sizes[i].width;
        plot->right = plot->width - 12;
        plot->clip = clip + i;
        base_write_text(out, "<div class=\"%s\">\n", sizes[i].class);
        draw_curves(out, f, c, plot, accuracy);
        base_write_text(out, "</div>\n");
    }
}

static void curves_accuracy(base_writer *out, const report_figures *f, epoch_columns *c) {
    for (size_t i = 0; i < f->epoch_count; i++) {
        c->train[i] = f->epochs[i].train_accuracy;
        c->validation[i] = f->epochs[i].validation_accuracy;
    }
    for (size_t i = 0; i < f->projection_count; i++)
        c->both[2 * f->epoch_count + i] = f->projections[i].after;
    svg_plot plot = epochs_plot(f, "Accuracy by epoch", SVG_ACCURACY, "accuracy, %");
    if (svg_axis_fit_values(&plot.y, c->both, 2 * f->epoch_count + f->projection_count))
        draw_curves_twice(out, f, c, &plot, true, 1);
}

static void curves_loss(base_writer *out, const report_figures *f, epoch_columns *c) {
    for (size_t i = 0; i < f->epoch_count; i++) {
        c->train[i] = f->epochs[i].train_loss;
        c->validation[i] = f->epochs[i].validation_loss;
    }
    svg_plot plot = epochs_plot(f, "Loss by epoch", SVG_LOG, "loss");
    if (svg_axis_fit_values(&plot.y, c->both, 2 * f->epoch_count))
        draw_curves_twice(out, f, c, &plot, false, 3);
}

void panel_curves(base_writer *out, const report_figures *f) {
    if (f->epoch_count == 0)
        return;
    epoch_columns c = {0};
    if (!columns_create(f, &c))
        out->failed = true;
    if (!out->failed) {
        page_panel_begin(out, "Training",
                         "Training figures are means over an epoch of distorted images; "
                         "validation is measured at its end. The accuracy's axis is spaced by the "
                         "logarithm of the error.");
        curves_accuracy(out, f, &c);
        curves_loss(out, f, &c);
        page_panel_end(out);
    }
    columns_free(&c);
}

/* ---- residuals ---- */

/* A line a layer, broken between rounds and between stages. */
static void residual_lines(svg_plot *plot, const report_figures *f, bool dual, double *x,
                           double *y) {
    for (uint32_t layer = 0; layer < f->residual_layers.count; layer++) {
        size_t count = 0;
        const report_residual *last = NULL;
        for (size_t i = 0; i < f->residual_count; i++) {
            const report_residual *r = &f->residuals[i];
            if (r->layer != layer)
                continue;
            if (last != NULL && (last->round != r->round || last->stage != r->stage))
                x[count++] = NAN;
            double value = dual ? r->dual : r->primal;
            x[count] = (double)r->at;
            y[count++] = value > 0 ? value : NAN;
            last = r;
        }
        svg_line(plot, x, y, count, layer, false);
    }
}

static void residual_stripes(svg_plot *plot, const report_figures *f) {
    size_t from = 0;
    for (size_t i = 1; i <= f->residual_count; i++) {
        const report_residual *first = &f->residuals[from];
        if (i < f->residual_count && f->residuals[i].round == first->round &&
            f->residuals[i].stage == first->stage)
            continue;
        char text[32];
        bool pruning = strstr(f->stages.text[first->stage], "prun") != NULL;
        round_text(f, first->round, text, sizeof text);
        double left = first->at - 0.5;
        double right = f->residuals[i - 1].at + 0.5;
        svg_stripe(plot, left, right, stage_colour(first->stage));
        svg_head(plot, left, right, pruning ? text : "levels");
        from = i;
    }
}

static void residual_plot(base_writer *out, const report_figures *f, bool dual, double *x,
                          double *y) {
    legend_list list = {.count = 0};
    for (uint32_t layer = 0; layer < f->residual_layers.count; layer++)
        legend_add(&list, f->residual_layers.text[layer], layer, SVG_MARK_LINE);
    svg_plot plot = {.out = out,
                     .width = 500,
                     .height = 306,
                     .left = 62,
                     .top = 42,
                     .right = 490,
                     .bottom = 256,
                     .x = {.label = "ADMM iteration of the whole run"},
                     .y = {.scale = SVG_LOG,
                           .label = dual ? "dual: \u03C1\u2016Z \u2212 Z\u2032\u2016"
                                         : "primal: \u2016W \u2212 Z\u2016"},
                     .legend = list.entries,
                     .legend_count = list.count,
                     .title = dual ? "Dual residual by iteration" : "Primal residual by iteration",
                     .clip = dual ? 6 : 5};
    svg_axis_integers(&plot.x, 1, f->iteration_count);
    for (size_t i = 0; i < f->residual_count; i++)
        y[i] = dual ? f->residuals[i].dual : f->residuals[i].primal;
    if (!svg_axis_fit_values(&plot.y, y, f->residual_count))
        return;
    svg_begin(&plot);
    residual_stripes(&plot, f);
    residual_lines(&plot, f, dual, x, y);
    svg_end(&plot);
}

void panel_residuals(base_writer *out, const report_figures *f) {
    if (f->residual_count == 0)
        return;
    /* Breaks are at most as many as the points. */
    double *x = base_array(2 * f->residual_count, sizeof *x);
    double *y = base_array(2 * f->residual_count, sizeof *y);
    if (x == NULL || y == NULL)
        out->failed = true;
    if (!out->failed) {
        page_panel_begin(out, "ADMM residuals",
                         "How far the weights W are from the constraint's copy Z, and how far Z "
                         "moved in an iteration, by layer; each round starts anew.");
        base_write_text(out, "<div class=\"pair\">\n");
        residual_plot(out, f, false, x, y);
        residual_plot(out, f, true, x, y);
        base_write_text(out, "</div>\n");
        page_panel_end(out);
    }
    base_free(x);
    base_free(y);
}

/* ---- projections ---- */

static void projection_row(base_writer *out, const report_figures *f, const report_projection *p) {
    char text[PAGE_FIGURE_MAX];
    char name[REPORT_NAME_MAX + 32];
    bool pruning = p->kept > 0;
    if (pruning)
        snprintf(name, sizeof name, "pruning, round %u", p->round + 1);
    else
        snprintf(name, sizeof name, "%s", f->stages.text[p->stage]);
    base_write_text(out, "<tr>");
    page_cell(out, "", name);
    page_cell(out, "", pruning ? page_ratio(text, total_weights(f) / p->kept) : "");
    page_cell(out, "", pruning ? page_count(text, p->kept) : "");
    page_cell(out, "", page_percent(text, p->before));
    page_cell(out, "", page_percent(text, p->after));
    page_cell(out, "", page_percent(text, p->retrained));
    base_write_text(out, "</tr>\n");
}

void panel_projections(base_writer *out, const report_figures *f) {
    if (f->projection_count == 0)
        return;
    page_panel_begin(out, "Before and after each hard projection",
                     "Validation accuracy of the network just before its weights are projected "
                     "onto the constraint, right after, and after retraining.");
    base_write_text(out,
                    "<div class=\"scroll\"><table>\n<tr><th></th><th>ratio</th><th>kept</th>"
                    "<th>before</th><th>right after</th><th>retrained</th></tr>\n");
    for (size_t i = 0; i < f->projection_count; i++)
        projection_row(out, f, &f->projections[i]);
    base_write_text(out, "</table></div>\n");
    page_panel_end(out);
}
