/* The panels of a run's page. A panel whose figures are missing writes nothing. */
#ifndef REPORT_PANELS_H
#define REPORT_PANELS_H

#include "report/figures.h"
#include "report/page.h"

/* panels_result.c: from result.json. */
void panel_headline(base_writer *out, const report_figures *f);
void panel_table(base_writer *out, const report_figures *f);
void panel_layers(base_writer *out, const report_figures *f);
void panel_bytes(base_writer *out, const report_figures *f);

/* panels_log.c: from log.jsonl. */
void panel_curves(base_writer *out, const report_figures *f);
void panel_residuals(base_writer *out, const report_figures *f);
void panel_projections(base_writer *out, const report_figures *f);

#endif
