#include <nettle/hmac.h>
#include <nettle/pbkdf2.h>
#include <nettle/aes.h>
#include <nettle/cbc.h>
#include <nettle/nist-keywrap.h>

// One context for the three AES key lengths, so that it can lie in one piece of guarded memory;
// nettle's CBC takes its cipher by function pointer, which Swift can't cast. For PSKCKeys.swift.
typedef union {
    struct aes128_ctx aes128;
    struct aes192_ctx aes192;
    struct aes256_ctx aes256;
} st_aes_context;

// Each returns 0 for a key that isn't 16, 24 or 32 bytes.
static inline int st_aes_cbc_decrypt(void *_Nonnull memory, size_t key_length,
                                     const uint8_t *_Nonnull key, uint8_t *_Nonnull iv,
                                     size_t length, uint8_t *_Nonnull clear,
                                     const uint8_t *_Nonnull encrypted) {
    st_aes_context *context = (st_aes_context *)memory;
#define ST_CBC(n)                                                                                  \
    aes##n##_set_decrypt_key(&context->aes##n, key);                                               \
    cbc_decrypt(&context->aes##n, (nettle_cipher_func *)aes##n##_decrypt, AES_BLOCK_SIZE, iv,      \
                length, clear, encrypted);                                                         \
    return 1
    switch (key_length) {
    case 16: ST_CBC(128);
    case 24: ST_CBC(192);
    case 32: ST_CBC(256);
    default: return 0;
    }
#undef ST_CBC
}
static inline int st_aes_cbc_encrypt(void *_Nonnull memory, size_t key_length,
                                     const uint8_t *_Nonnull key, uint8_t *_Nonnull iv,
                                     size_t length, uint8_t *_Nonnull encrypted,
                                     const uint8_t *_Nonnull clear) {
    st_aes_context *context = (st_aes_context *)memory;
#define ST_CBC(n)                                                                                  \
    aes##n##_set_encrypt_key(&context->aes##n, key);                                               \
    cbc_encrypt(&context->aes##n, (nettle_cipher_func *)aes##n##_encrypt, AES_BLOCK_SIZE, iv,      \
                length, encrypted, clear);                                                         \
    return 1
    switch (key_length) {
    case 16: ST_CBC(128);
    case 24: ST_CBC(192);
    case 32: ST_CBC(256);
    default: return 0;
    }
#undef ST_CBC
}
// Also 0 where RFC 3394's integrity check fails. `clear` has 8 bytes fewer than what is unwrapped.
static inline int st_aes_key_unwrap(void *_Nonnull memory, size_t key_length,
                                    const uint8_t *_Nonnull key, size_t clear_length,
                                    uint8_t *_Nonnull clear, const uint8_t *_Nonnull encrypted) {
    static const uint8_t iv[8] = {0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6};
    st_aes_context *context = (st_aes_context *)memory;
#define ST_UNWRAP(n)                                                                               \
    aes##n##_set_decrypt_key(&context->aes##n, key);                                               \
    return aes##n##_keyunwrap(&context->aes##n, iv, clear_length, clear, encrypted)
    switch (key_length) {
    case 16: ST_UNWRAP(128);
    case 24: ST_UNWRAP(192);
    case 32: ST_UNWRAP(256);
    default: return 0;
    }
#undef ST_UNWRAP
}
