/* A set of texts that grows, each with a number. */
#ifndef ONNX_TEXTS_H
#define ONNX_TEXTS_H

#include <stdint.h>

#include "onnx/arena.h"

#define ONNX_NO_TEXT UINT32_MAX

/* All zero is an empty set. Open addressing: capacity is a power of two, at least twice count. */
typedef struct onnx_texts {
    struct onnx_text *list;
    size_t capacity, count;
} onnx_texts;

/* The text stays the caller's. Of texts alike the first one's number is kept. False: no memory. */
bool onnx_texts_add(onnx_texts *texts, const char *text, uint32_t number, onnx_arena *arena);
/* Its number; ONNX_NO_TEXT: it is not there. */
uint32_t onnx_texts_find(const onnx_texts *texts, const char *text);

#endif
