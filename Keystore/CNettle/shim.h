#include <nettle/hmac.h>
#include <nettle/pbkdf2.h>
#include <nettle/aes.h>
#include <nettle/cbc.h>
