// Written by Tests/System/SelfTest/make_links.py: two signed links of an issuer made up for the
// self-test. Their seed and their code are no secret; nobody accepts their OTPs.

/// What is activated in the throw-away folders.
enum SampleLink {
    static let fingerprint = "23QG-67P3-CDP3-KECR"
    static let code = "SE1FT-EST00"
    static let seed = Array("ABCDEFGHIJKLMNOPQRST".utf8)
    static let seedBase32 = "IFBEGRCFIZDUQSKKJNGE2TSPKBIVEU2U"
    static let words = ["selftest@softtoken.example", "SELFTEST-", "Selftest token"]
    /// Ten attempts.
    static let ten =
        "softtoken:activate#eyJhbGciOiAiRWREU0EiLCAidHlwIjogInNvZnR0b2tlbitqd3QiLCAiandrI"
        + "jogeyJrdHkiOiAiT0tQIiwgImNydiI6ICJFZDI1NTE5IiwgIngiOiAiTjBWeHJpSnkxS2pPNzB3MjY4Z"
        + "nV2TnQ4ckpmOEJtNkJoRlVwbGpVRHBNbyJ9fQ.eyJpc3MiOiAiU29mdFRva2VuIHNlbGZ0ZXN0IiwgIn"
        + "N1YiI6ICJzZWxmdGVzdEBzb2Z0dG9rZW4uZXhhbXBsZSIsICJqdGkiOiAiV2g4QlhFOWs5THQ5MkV6aF"
        + "Q3WE0tZyIsICJpYXQiOiAxNzM1Njg5NjAwLCAiZXhwIjogNDEwMjQ0NDgwMCwgInN0IjogeyJ2IjogMS"
        + "wgImtpbmQiOiAic29mdCIsICJzZXJpYWwiOiAiU0VMRlRFU1QtMTAiLCAidHlwZSI6ICJ0b3RwIiwgIm"
        + "FsZ29yaXRobSI6ICJTSEExIiwgImRpZ2l0cyI6IDYsICJwZXJpb2QiOiAzMCwgInNlZWQiOiB7ImJ5Ij"
        + "ogImNvZGUiLCAic2FsdCI6ICIxNzdpdFlTN29DZkJrMy1LbU1NLVhnIiwgIm9wcyI6IDIsICJtZW0iOi"
        + "A2NzEwODg2NCwgIm5vbmNlIjogInZRWDVfdk9TLUE5MjVQcE9aUjRZc3Q4cHVQc2ZSV241IiwgImJveC"
        + "I6ICJ4bnFSaWI2cFV3REhLeTdDV3VmNXdjcVd2cHNKOC1SX1docHg2NEFNQTZOb1FUTXIifX19.rO-oZ"
        + "1hkH2BzojcBnY8rseugEFegYnz6ESOsIWjHB8CZycKIBake6eJeua_HvnolQiQkXu5oh3FrNDeQe_ozD"
        + "Q"
    /// Three attempts, as its policy says.
    static let three =
        "softtoken:activate#eyJhbGciOiAiRWREU0EiLCAidHlwIjogInNvZnR0b2tlbitqd3QiLCAiandrI"
        + "jogeyJrdHkiOiAiT0tQIiwgImNydiI6ICJFZDI1NTE5IiwgIngiOiAiTjBWeHJpSnkxS2pPNzB3MjY4Z"
        + "nV2TnQ4ckpmOEJtNkJoRlVwbGpVRHBNbyJ9fQ.eyJpc3MiOiAiU29mdFRva2VuIHNlbGZ0ZXN0IiwgIn"
        + "N1YiI6ICJzZWxmdGVzdEBzb2Z0dG9rZW4uZXhhbXBsZSIsICJqdGkiOiAicTZGaGx4cjN1TExjZGN1eF"
        + "pkTzVCUSIsICJpYXQiOiAxNzM1Njg5NjAwLCAiZXhwIjogNDEwMjQ0NDgwMCwgInN0IjogeyJ2IjogMS"
        + "wgImtpbmQiOiAic29mdCIsICJzZXJpYWwiOiAiU0VMRlRFU1QtMyIsICJ0eXBlIjogInRvdHAiLCAiYW"
        + "xnb3JpdGhtIjogIlNIQTEiLCAiZGlnaXRzIjogNiwgInBlcmlvZCI6IDMwLCAic2VlZCI6IHsiYnkiOi"
        + "AiY29kZSIsICJzYWx0IjogIjE3N2l0WVM3b0NmQmszLUttTU0tWGciLCAib3BzIjogMiwgIm1lbSI6ID"
        + "Y3MTA4ODY0LCAibm9uY2UiOiAibXBuRlFCT0RfVWdGQ1gya0NJb0sxTkRUNkJ5aVlta28iLCAiYm94Ij"
        + "ogIkdISkhXbWMzRDBJem5NMXFyS2VDNXNEa1Y1ZlBzajktZE1YNDh2TDFyM2ZZRk5zdiJ9LCAicG9saW"
        + "N5IjogeyJhdHRlbXB0cyI6IDN9fX0.TiIZ50PDGbZk4G0gY2XaeS9PSTqXAmRL6sKJVpxHexS76JaxTb"
        + "J0lD9jDXIu0eqLm9ZsRLT6H0B_Y2L7d_6TCA"
}
