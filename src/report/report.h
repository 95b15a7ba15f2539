/* What people look at: self-contained HTML and SVG made from a run's figures. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Writes folder/report.html from the result's JSON text and the run's log.jsonl:
 * curves, residuals, bars by layer, the table beside the papers' rows. */
admmnn_status report_write_run(const char *folder, const char *result, size_t result_size,
                               const char *log, size_t log_size, admmnn_error *err);

/* An SVG of accuracy against compression, one line a method, with bands of one
 * standard deviation over seeds, from comparison.json's text. */
admmnn_status report_write_comparison(const char *path, const char *json, size_t size,
                                      admmnn_error *err);

/* SVGs of the experiment on quadratics, from quadratics.json's text: boxes of what each
 * method's chosen setting reached from all starts, above the optimum, by instance; and
 * the median over the instances against rho. */
admmnn_status report_write_quadratics(const char *path, const char *json, size_t size,
                                      admmnn_error *err);
admmnn_status report_write_quadratics_rho(const char *path, const char *json, size_t size,
                                          admmnn_error *err);

/* An SVG of how many times as fast as dense layers are, by the share of weights pruned, from the
 * JSON text of hardware/break_even.h. */
admmnn_status report_write_break_even(const char *path, const char *json, size_t size,
                                      admmnn_error *err);

/* An SVG of recipes side by side from recipes.json's text: a dot a seed, and the mean. */
admmnn_status report_write_recipes(const char *path, const char *json, size_t size,
                                   admmnn_error *err);

#endif
