#include "evaluation.h"

#include <inttypes.h>
#include <string.h>

#include "admmnn/data.h"
#include "fail.h"
#include "print.h"

admmnn_status cli_refuse_images(const cli_arguments *a, const char *wanted, admmnn_error *err) {
    const char *given = a->data != NULL        ? "data"
                        : a->format != NULL    ? "format"
                        : a->resize.given      ? "resize"
                        : a->max_damaged.given ? "max-damaged"
                                               : NULL;
    if (given == NULL)
        return ADMMNN_OK;
    return cli_fail(err, ADMMNN_USAGE,
                    "--%s: no images are read without %s; give that too, or neither", given,
                    wanted);
}

admmnn_status cli_images(const cli_arguments *arguments, char *fetched, size_t size,
                         admmnn_images *images, admmnn_error *err) {
    const char *format = arguments->format;
    *images = (admmnn_images){.path = arguments->data,
                              .format = format,
                              .resize = (uint32_t)cli_number_or(arguments->resize, 0),
                              .max_damaged = cli_number_or(arguments->max_damaged, 0),
                              .mean = arguments->mean,
                              .deviation = arguments->deviation};
    if (images->path != NULL)
        return ADMMNN_OK;
    if (format != NULL && strcmp(format, "mnist") != 0 && strcmp(format, "cifar10") != 0)
        return cli_fail(err, ADMMNN_USAGE,
                        "--format %s: mnist and cifar10 alone are known by name; of idx, "
                        "cifar100, folder and npy --data says where the images are",
                        format);
    images->path = fetched;
    return admmnn_data_folder(format == NULL ? "mnist" : format, fetched, size, err);
}

admmnn_status cli_evaluate(const char *model, const admmnn_images *images,
                           const admmnn_context *context, admmnn_evaluation *evaluation,
                           admmnn_error *err) {
    admmnn_model *open;
    CLI_TRY(admmnn_model_open(model, context, &open, err));
    const admmnn_status status = admmnn_model_evaluate(open, images, evaluation, err);
    admmnn_model_close(open);
    return status;
}

void cli_print_evaluation(const admmnn_evaluation *evaluation) {
    cli_print("accuracy %.2f %% (%" PRIu64 " of %" PRIu64 "), loss %.4f\n",
              100 * evaluation->accuracy, evaluation->correct, evaluation->count, evaluation->loss);
}

void cli_add_evaluation(cJSON *object, const admmnn_evaluation *evaluation) {
    cJSON_AddNumberToObject(object, "count", (double)evaluation->count);
    cJSON_AddNumberToObject(object, "correct", (double)evaluation->correct);
    cJSON_AddNumberToObject(object, "accuracy", evaluation->accuracy);
    cJSON_AddNumberToObject(object, "loss", evaluation->loss);
}
