#include "report/papers.h"

#include <stddef.h>
#include <string.h>

static const report_paper papers[] = {
    {"lenet-5", "Ren et al. 2018", 99.2, 85, 1910, 623, 0.89, 2.73},
    {"lenet-300-100", "Zhang et al. 2018", 98.4, 22.9, 0, 0, 0, 0},
};

const report_paper *report_paper_find(const char *model) {
    for (size_t i = 0; i < sizeof papers / sizeof papers[0]; i++)
        if (strcmp(papers[i].model, model) == 0)
            return &papers[i];
    return NULL;
}
