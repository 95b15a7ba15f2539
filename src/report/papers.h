/* What the papers report for the networks compressed here. */
#ifndef REPORT_PAPERS_H
#define REPORT_PAPERS_H

/* Percent, ratios and KiB; 0 where the paper gives no figure. */
typedef struct report_paper {
    const char *model;
    const char *source;
    double accuracy, pruning, data_only, with_indices, data_kib, indices_kib;
} report_paper;

/* NULL when no paper has a row of the model. */
const report_paper *report_paper_find(const char *model);

#endif
