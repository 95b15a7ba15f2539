/* Text that the library gives away. */
#ifndef ADMMNN_TEXT_H
#define ADMMNN_TEXT_H

#ifdef __cplusplus
extern "C" {
#endif

/* Frees a text that a call of the library left to its caller; NULL is none. */
void admmnn_text_free(char *text);

#ifdef __cplusplus
}
#endif
#endif
