/* How far values go on images: what a range of 8 bits is laid over. */
#ifndef EXPORT_CALIBRATE_H
#define EXPORT_CALIBRATE_H

#include "admmnn/model.h"
#include "export/job.h"

typedef struct export_calibration {
    const export_job *job;
    base_pool *pool;
    data_set images; /* of the training part */
} export_calibration;

/* Fails as admmnn_model_evaluate does. The calibration is the caller's, closed in any case. */
admmnn_status export_calibration_open(const export_job *job, const char *path,
                                      const admmnn_images *images, export_calibration *c);
void export_calibration_close(export_calibration *c);

/* The largest magnitude among a value's elements, on some of the images. */
admmnn_status export_calibrate(const export_calibration *c, uint32_t value, float *most);

#endif
