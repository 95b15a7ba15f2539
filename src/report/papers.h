/* What the papers report for the networks compressed here. */
#ifndef REPORT_PAPERS_H
#define REPORT_PAPERS_H

/* Percent, ratios and KiB; 0 where the paper gives no figure. */
typedef struct report_paper {
    const char *model;
    const char *source;
    double pruning; /* dense weights / kept */
    struct {
        double dense, pruned, quantized;
    } accuracy;
    double data_only, with_indices, data_kib, indices_kib;
} report_paper;

/* The row to set beside a run that pruned `pruning` times: of the model's, the one of
 * the largest ratio that the run reached, to one in a hundred; the least where it
 * reached none. NULL when no paper has a row of the model. */
const report_paper *report_paper_find(const char *model, double pruning);

#endif
