/* What `eval` and `finetune` have in common: a data set, and the figures on its test images. */
#ifndef CLI_EVALUATION_H
#define CLI_EVALUATION_H

#include <cjson/cJSON.h>

#include "admmnn/model.h"
#include "command.h"

/* The folder of --data, or of the fetched MNIST, whose name then stands in fetched. */
admmnn_status cli_data_or_mnist(const cli_arguments *arguments, char *fetched, size_t size,
                                const char **folder, admmnn_error *err);
/* Of the model in a file, on the data set's test images. */
admmnn_status cli_evaluate(const char *model, const char *folder, const admmnn_context *context,
                           admmnn_evaluation *evaluation, admmnn_error *err);

/* After what says of which model: a line for people, members of an object for machines. */
void cli_print_evaluation(const admmnn_evaluation *evaluation);
void cli_add_evaluation(cJSON *object, const admmnn_evaluation *evaluation);

#endif
