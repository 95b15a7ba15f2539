/* A run's figures as the report draws them, read from its result and its log.
 * What is absent or of the wrong type is NAN, "" or an empty list. */
#ifndef REPORT_FIGURES_H
#define REPORT_FIGURES_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define REPORT_NAME_MAX 64
#define REPORT_NAMES_MAX 64

/* Words that come again in every line of the log, kept once. */
typedef struct report_names {
    char text[REPORT_NAMES_MAX][REPORT_NAME_MAX];
    uint32_t count;
} report_names;

typedef struct report_epoch {
    uint32_t stage; /* of stages */
    uint32_t round;
    double train_loss, train_accuracy, validation_loss, validation_accuracy;
} report_epoch;

/* One layer's residuals after one iteration. at: the iteration's number over
 * the whole run. */
typedef struct report_residual {
    uint32_t stage, round, layer, at; /* layer: of residual_layers */
    double primal, dual;
} report_residual;

/* A hard projection: validation accuracies before, right after and after the
 * retraining; at: the epoch of the whole run it came after. */
typedef struct report_projection {
    uint32_t stage, round, at;
    double before, after, retrained;
    double kept; /* weights of all layers */
} report_projection;

typedef struct report_figures {
    cJSON *result;
    report_names stages, residual_layers;
    report_epoch *epochs;
    size_t epoch_count;
    report_residual *residuals;
    size_t residual_count;
    uint32_t iteration_count; /* over the whole run */
    report_projection *projections;
    size_t projection_count;
    size_t unread; /* lines of the log that made no sense */
} report_figures;

/* A result that is no JSON object is ADMMNN_CORRUPT. *figures is the caller's,
 * freed with report_figures_free (also after a failure). */
admmnn_status report_figures_read(const char *result, size_t result_size, const char *log,
                                  size_t log_size, report_figures *figures, admmnn_error *err);
void report_figures_free(report_figures *figures);

/* A number or a text of an object (which may be NULL). */
double report_number(const cJSON *object, const char *key);
const char *report_text(const cJSON *object, const char *key);
const cJSON *report_part(const cJSON *object, const char *key);
/* What a value is above an optimum: 0 where the two differ by rounding alone, and below 0
 * where the optimum was none. */
double report_gap(double value, double optimum);

#endif
