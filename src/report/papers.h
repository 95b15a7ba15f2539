/* What the papers report for the networks compressed here, all of it on MNIST. */
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
    double data_only, relative_indices, data_kib, relative_indices_kib;
} report_paper;

/* The data set's name, from the digest of its training images and labels
 * (data_set_digest), as a run's data_sha256 has it: "MNIST", or NULL. */
const char *report_data_name(const char *data_sha256);
/* What to call it: its name, or "data " and the digest's first twelve digits. */
#define REPORT_DATA_LABEL_MAX 20
const char *report_data_label(char text[REPORT_DATA_LABEL_MAX], const char *data_sha256);

/* The row to set beside a run on these data that pruned `pruning` times: of the
 * model's, the one of the largest ratio that the run reached, to one in a hundred; the
 * least where it reached none. NULL when no paper has a row of the model on the data. */
const report_paper *report_paper_find(const char *data_sha256, const char *model, double pruning);

#endif
