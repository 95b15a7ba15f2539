/* How far a network's values go on images: what 8 bits of them are laid over. */
#ifndef PACK_MODEL_CALIBRATE_H
#define PACK_MODEL_CALIBRATE_H

#include "admmnn/model.h"
#include "pack/pack.h"

typedef struct model_range {
    float low, high;
} model_range;

/* Of each value that varies, on some images of the set, as the model's tones normalise them; of
 * the input all that a pixel may become. params[g->flat_count] of the model;
 * ranges[g->value_count]. Damaged images are left out. */
admmnn_status model_calibrate(const pack_model *model, const float *params, const data_set *images,
                              base_pool *pool, model_range *ranges, admmnn_error *err);
/* The same on the training part of a data set; fails as admmnn_model_evaluate does. path: the
 * model's; the number of threads and the log are the context's. */
admmnn_status model_calibrate_on(const pack_model *model, const float *params, const char *path,
                                 const admmnn_images *images, const admmnn_context *context,
                                 model_range *ranges, admmnn_error *err);

/* The model's ranges for 8 bits, by those images; pixels are normalised from then on as is asked
 * for. */
admmnn_status model_find_ranges(pack_model *model, const char *path, const admmnn_images *images,
                                const admmnn_context *context, admmnn_error *err);

#endif
