/* Which coders take the fewest bits for a tensor. */
#ifndef PACK_PLAN_H
#define PACK_PLAN_H

#include "pack/tensor.h"

/* A tensor's plan and the bits it takes, positions and values. */
typedef struct plan_choice {
    tensor_plan plan;
    uint64_t bits;
} plan_choice;

/* Of parameter p. Some tensors cannot be held by the wished-for coders (a dense one with
 * zeros between levels that have none): they are coded as well as can be. ADMMNN_CANCELLED
 * as settings->context says. */
admmnn_status plan_tensor(const pack_model *model, uint32_t p, const pack_settings *settings,
                          plan_choice *choice, admmnn_error *err);
/* Of all parameters: *choices is the caller's. ADMMNN_USAGE for what no file holds. */
admmnn_status plan_model(const pack_model *model, const pack_settings *settings,
                         plan_choice **choices, admmnn_error *err);

/* encode.c: the file by these choices, as pack_encode. */
admmnn_status plan_encode(const pack_model *model, const plan_choice *choices, uint8_t **bytes,
                          size_t *count, pack_report *report, admmnn_error *err);

#endif
