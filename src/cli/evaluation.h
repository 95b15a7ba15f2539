/* What `eval` and `finetune` have in common: a data set, and the figures on its test images. */
#ifndef CLI_EVALUATION_H
#define CLI_EVALUATION_H

#include <cjson/cJSON.h>

#include "admmnn/model.h"
#include "command.h"

/* Of values between layers; there is no other number than 8. */
#define CLI_ACTIVATIONS_OPTION(text)                                                               \
    {                                                                                              \
        .name = "activations", .kind = CLI_NUMBER, .offset = offsetof(cli_arguments, activations), \
        .value = "8", .least = 8, .greatest = 8, .fallback = "32-bit floats", .help = (text)       \
    }

/* The options that name a data set. */
#define CLI_IMAGES_OPTIONS                                                                         \
    {.name = "data",                                                                               \
     .kind = CLI_TEXT,                                                                             \
     .offset = offsetof(cli_arguments, data),                                                      \
     .value = "PATH",                                                                              \
     .fallback = "the fetched one",                                                                \
     .help = "Folder or archive of a data set, as in recipes."},                                   \
        {.name = "format",                                                                         \
         .kind = CLI_TEXT,                                                                         \
         .offset = offsetof(cli_arguments, format),                                                \
         .value = "NAME",                                                                          \
         .words = "mnist idx cifar10 cifar100 folder npy",                                         \
         .fallback = "mnist, of PATH idx",                                                         \
         .help = "What it holds: mnist, idx, cifar10, cifar100, folder or npy."},                  \
        {.name = "resize",                                                                         \
         .kind = CLI_NUMBER,                                                                       \
         .offset = offsetof(cli_arguments, resize),                                                \
         .value = "N",                                                                             \
         .least = 1,                                                                               \
         .greatest = 4096,                                                                         \
         .fallback = "the input's",                                                                \
         .help =                                                                                   \
             "Of folder: the images' shorter side before the network's input is cut from "         \
             "the middle."},                                                                       \
        {.name = "max-damaged",                                                                    \
         .kind = CLI_NUMBER,                                                                       \
         .offset = offsetof(cli_arguments, max_damaged),                                           \
         .value = "N",                                                                             \
         .greatest = 1000000000,                                                                   \
         .fallback = "0",                                                                          \
         .help = "Of folder: damaged images that may be left out, each with a warning."},          \
        {.name = "mean",                                                                           \
         .kind = CLI_TEXT,                                                                         \
         .offset = offsetof(cli_arguments, mean),                                                  \
         .value = "LIST",                                                                          \
         .fallback = "the model's, or 0",                                                          \
         .help =                                                                                   \
             "Taken from pixels / 255: one number, or one for each of three channels, with "       \
             "commas between."},                                                                   \
    {                                                                                              \
        .name = "deviation", .kind = CLI_TEXT, .offset = offsetof(cli_arguments, deviation),       \
        .value = "LIST", .fallback = "the model's, or 1",                                          \
        .help = "What is left is divided by it: as many numbers as --mean."                        \
    }

/* Refuses those of them that say where images are and how they are read: none are without the
 * option that is wanted. */
admmnn_status cli_refuse_images(const cli_arguments *arguments, const char *wanted,
                                admmnn_error *err);
/* The data set of the options: without --data the fetched one of the format, whose folder then
 * stands in fetched, which images points to. */
admmnn_status cli_images(const cli_arguments *arguments, char *fetched, size_t size,
                         admmnn_images *images, admmnn_error *err);
/* Of the model in a file, on the data set's test images. */
admmnn_status cli_evaluate(const char *model, const admmnn_images *images,
                           const admmnn_context *context, admmnn_evaluation *evaluation,
                           admmnn_error *err);

/* After what says of which model: a line for people, members of an object for machines. */
void cli_print_evaluation(const admmnn_evaluation *evaluation);
void cli_add_evaluation(cJSON *object, const admmnn_evaluation *evaluation);

#endif
