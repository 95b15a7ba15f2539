/* A packed model as the text of its two files. */
#ifndef EXPORT_CODE_H
#define EXPORT_CODE_H

#include "admmnn/export.h"
#include "admmnn/model.h"
#include "base/bytes.h"
#include "pack/pack.h"

typedef struct export_code_settings {
    const char *path; /* of the model, for messages */
    const char *name; /* of the files and of the function, a C identifier */
    /* Of a second function, of 8 bits: the ranges of values are those of images, or are given. At
     * most one of the two is not NULL. */
    const admmnn_images *images;
    const float *ranges;           /* [values] the largest magnitude of each */
    const admmnn_context *context; /* of the images; or NULL */
} export_code_settings;

/* All zero is none. */
typedef struct export_code {
    base_writer source, header;
    admmnn_export_sizes sizes;
} export_code;

/* ADMMNN_UNSUPPORTED: a network that cannot be C code, with 8 bits or without. */
admmnn_status export_code_check(const graph *g, const char *path, admmnn_error *err);
/* The model was checked. *code is the caller's, freed with export_code_free, of a failure too. */
admmnn_status export_code_make(const pack_model *model, const export_code_settings *settings,
                               export_code *code, admmnn_error *err);
void export_code_free(export_code *code);

#endif
