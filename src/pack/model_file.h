/* An opened model: what admmnn_model is. */
#ifndef PACK_MODEL_FILE_H
#define PACK_MODEL_FILE_H

#include "admmnn/model.h"
#include "base/pool.h"
#include "engine/engine.h"
#include "pack/pack.h"

struct admmnn_model {
    char *path;
    pack_model *packed;
    pack_report report; /* no tensors: the file is ONNX, and has no such bits */
    float *params;      /* [packed->g->flat_count] */
    uint64_t file_bytes;
    base_pool *pool;
    engine *engine; /* of the runs; NULL before the first */
    float *active;  /* the parameters it takes: those of its support; NULL: params */
};

/* What a file holds, as a packed model. *described: the order of its units and
 * its levels are a packed file's (or its ONNX form's). report may be NULL. */
admmnn_status model_file_read(const char *path, pack_model **out, pack_report *report,
                              uint64_t *file_bytes, bool *described, admmnn_error *err);

#endif
