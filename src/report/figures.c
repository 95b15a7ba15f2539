#include "report/figures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

/* A gap of so little of the optimum is rounding: the optimum itself. */
#define GAP_ROUNDING 1e-9

const cJSON *report_part(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

double report_number(const cJSON *object, const char *key) {
    const cJSON *item = report_part(object, key);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

const char *report_text(const cJSON *object, const char *key) {
    const cJSON *item = report_part(object, key);
    return cJSON_IsString(item) ? item->valuestring : "";
}

/* The name's number; a name beyond the last that fits shares its place. */
static uint32_t name_of(report_names *names, const char *text) {
    char name[REPORT_NAME_MAX];
    snprintf(name, sizeof name, "%s", text);
    for (uint32_t i = 0; i < names->count; i++)
        if (strcmp(names->text[i], name) == 0)
            return i;
    if (names->count == REPORT_NAMES_MAX)
        return REPORT_NAMES_MAX - 1;
    memcpy(names->text[names->count], name, sizeof name);
    return names->count++;
}

/* A count of the log; what is no small count is 0. */
static uint32_t count_of(const cJSON *line, const char *key) {
    double value = report_number(line, key);
    return value >= 0 && value < 1e9 ? (uint32_t)value : 0;
}

/* Room for one more at the array's end; NULL when memory is short. */
static void *append(void **array, size_t *count, size_t size) {
    if ((*count & (*count - 1)) == 0) { /* full at every power of two */
        void *grown = base_array_resize(*array, *count, *count == 0 ? 1 : 2 * *count, size);
        if (grown == NULL)
            return NULL;
        *array = grown;
    }
    return (char *)*array + (*count)++ * size;
}

static bool take_epoch(report_figures *f, const cJSON *line) {
    report_epoch *epoch = append((void **)&f->epochs, &f->epoch_count, sizeof *epoch);
    if (epoch == NULL)
        return false;
    *epoch = (report_epoch){.stage = name_of(&f->stages, report_text(line, "stage")),
                            .round = count_of(line, "round"),
                            .train_loss = report_number(line, "train_loss"),
                            .train_accuracy = report_number(line, "train_accuracy"),
                            .validation_loss = report_number(line, "validation_loss"),
                            .validation_accuracy = report_number(line, "validation_accuracy")};
    return true;
}

static bool take_residual(report_figures *f, const cJSON *line) {
    uint32_t layer = name_of(&f->residual_layers, report_text(line, "layer"));
    if (layer == 0 || f->residual_count == 0) /* the first layer begins an iteration */
        f->iteration_count++;
    report_residual *r = append((void **)&f->residuals, &f->residual_count, sizeof *r);
    if (r == NULL)
        return false;
    *r = (report_residual){.stage = name_of(&f->stages, report_text(line, "stage")),
                           .round = count_of(line, "round"),
                           .layer = layer,
                           .at = f->iteration_count,
                           .primal = report_number(line, "primal"),
                           .dual = report_number(line, "dual")};
    return true;
}

static bool take_event(report_figures *f, const cJSON *line) {
    const char *event = report_text(line, "event");
    double accuracy = report_number(line, "validation_accuracy");
    bool levels = strcmp(event, "after projection to levels") == 0;
    if (strcmp(event, "before projection") == 0 || levels) {
        report_projection *p = append((void **)&f->projections, &f->projection_count, sizeof *p);
        if (p == NULL)
            return false;
        double last = f->epoch_count > 0 ? f->epochs[f->epoch_count - 1].validation_accuracy : NAN;
        *p = (report_projection){.stage = name_of(&f->stages, report_text(line, "stage")),
                                 .round = count_of(line, "round"),
                                 .at = (uint32_t)f->epoch_count,
                                 .before = levels ? last : accuracy,
                                 .after = levels ? accuracy : NAN,
                                 .retrained = NAN};
        return true;
    }
    if (f->projection_count == 0)
        return true;
    report_projection *p = &f->projections[f->projection_count - 1];
    if (strcmp(event, "after projection") == 0)
        p->after = accuracy;
    if (strcmp(event, "after retraining") == 0 || strcmp(event, "quantized") == 0)
        p->retrained = accuracy;
    return true;
}

/* What a layer keeps counts to the projection before it. */
static bool take_layer(report_figures *f, const cJSON *line) {
    double kept = report_number(line, "kept");
    if (f->projection_count == 0 || !(kept >= 0))
        return true;
    report_projection *p = &f->projections[f->projection_count - 1];
    if (isnan(p->retrained))
        p->kept += kept;
    return true;
}

/* false: memory is short. */
static bool take_line(report_figures *f, const cJSON *line) {
    static const struct {
        const char *kind;
        bool (*take)(report_figures *, const cJSON *);
    } takers[] = {{"epoch", take_epoch},
                  {"residual", take_residual},
                  {"event", take_event},
                  {"layer", take_layer}};
    const char *kind = report_text(line, "kind");
    for (size_t i = 0; i < sizeof takers / sizeof takers[0]; i++)
        if (strcmp(takers[i].kind, kind) == 0)
            return takers[i].take(f, line);
    f->unread++;
    return true;
}

static admmnn_status read_log(const char *log, size_t size, report_figures *f, admmnn_error *err) {
    for (size_t at = 0; at < size;) {
        const char *end = memchr(log + at, '\n', size - at);
        size_t length = end == NULL ? size - at : (size_t)(end - (log + at));
        cJSON *line = cJSON_ParseWithLength(log + at, length);
        bool taken = length == 0 || take_line(f, line);
        cJSON_Delete(line);
        if (!taken)
            return base_fail_memory(err, "the report's curves");
        at += length + 1;
    }
    return ADMMNN_OK;
}

admmnn_status report_figures_read(const char *result, size_t result_size, const char *log,
                                  size_t log_size, report_figures *figures, admmnn_error *err) {
    memset(figures, 0, sizeof *figures);
    figures->result = cJSON_ParseWithLength(result, result_size);
    if (!cJSON_IsObject(figures->result))
        return base_fail(err, ADMMNN_CORRUPT, "the run's result is not a JSON object");
    return read_log(log, log_size, figures, err);
}

void report_figures_free(report_figures *figures) {
    cJSON_Delete(figures->result);
    base_free(figures->epochs);
    base_free(figures->residuals);
    base_free(figures->projections);
    memset(figures, 0, sizeof *figures);
}

double report_gap(double value, double optimum) {
    const double gap = value - optimum;
    return fabs(gap) <= GAP_ROUNDING * (1 + fabs(optimum)) ? 0 : gap;
}
