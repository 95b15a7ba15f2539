#include "report/papers.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* A share that is rounded layer by layer may miss its ratio by this much. */
#define NEARLY 0.99

/* 60,000 images of 28 by 28 with their labels, as its authors publish them: the files
 * of data/manifest.c, whatever folder they are read from. */
static const char mnist_sha256[] =
    "eeac857521c3e028f2786f2d6838cf339ece6b0872940d32c58bca7572cf0c9e";

/* By rising ratio. 0.89 KB at 2 to 3 bits are some 2,600 weights: the quantized network
 * of Ren et al. is the one pruned 167 times. */
static const report_paper papers[] = {
    {"lenet-5", "Zhang et al. 2018", 71.2, {99.2, 99.2, 0}, 0, 0, 0, 0},
    {"lenet-5", "Ren et al. 2018", 85, {99.2, 99.2, 0}, 0, 0, 0, 0},
    {"lenet-5", "Ren et al. 2018", 167, {99.2, 99.0, 99.2}, 1910, 623, 0.89, 2.73},
    {"lenet-300-100", "Zhang et al. 2018", 22.9, {98.4, 98.4, 0}, 0, 0, 0, 0},
};

const char *report_data_name(const char *data_sha256) {
    return strcmp(data_sha256, mnist_sha256) == 0 ? "MNIST" : NULL;
}

const char *report_data_label(char text[REPORT_DATA_LABEL_MAX], const char *data_sha256) {
    const char *name = report_data_name(data_sha256);
    if (name != NULL)
        snprintf(text, REPORT_DATA_LABEL_MAX, "%s", name);
    else
        snprintf(text, REPORT_DATA_LABEL_MAX, "data %.12s",
                 data_sha256[0] == 0 ? "unknown" : data_sha256);
    return text;
}

const report_paper *report_paper_find(const char *data_sha256, const char *model, double pruning) {
    const report_paper *found = NULL;
    if (report_data_name(data_sha256) == NULL)
        return NULL;
    for (size_t i = 0; i < sizeof papers / sizeof papers[0]; i++)
        if (strcmp(papers[i].model, model) == 0 &&
            (found == NULL || pruning >= NEARLY * papers[i].pruning))
            found = &papers[i];
    return found;
}
