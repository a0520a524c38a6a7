// Two self-signed certificates for tests alone, valid for a century; their keys are public by being here.

let mailCertificate = """
    -----BEGIN CERTIFICATE-----
    MIIBrjCCAVOgAwIBAgIUAcchCWgStxJI/VPe2bh0AWU4hrAwCgYIKoZIzj0EAwIw
    HDEaMBgGA1UEAwwRbWFpbC5leGFtcGxlLnRlc3QwIBcNMjYxMTIxMDA1MzE0WhgP
    MjEyNjEwMjgwMDUzMTRaMBwxGjAYBgNVBAMMEW1haWwuZXhhbXBsZS50ZXN0MFkw
    EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEJz848tWworR4SGYCVphcVxppO+VcyzP+
    KqYL4KmyqKxyMxN06D3zYH1PnYqSoiAqcO/IO+yczAcuRrOLiEaacKNxMG8wHQYD
    VR0OBBYEFIu0HPTxLY9BbwNpqfUpJbrLuOFjMB8GA1UdIwQYMBaAFIu0HPTxLY9B
    bwNpqfUpJbrLuOFjMA8GA1UdEwEB/wQFMAMBAf8wHAYDVR0RBBUwE4IRbWFpbC5l
    eGFtcGxlLnRlc3QwCgYIKoZIzj0EAwIDSQAwRgIhAPSF9Yv39EFurFlHtmYjop0B
    2cTTEpjq9wIKG1RCAfC8AiEAkBueYEm2+SlysAFcBJ9hwS+i4t9+tKwzQQgLWwgt
    zs4=
    -----END CERTIFICATE-----
    """
let mailKey = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgAfYeYe/EGgxCSnOM
    5uDfdCqDVuxJLleMmuYVZT71bXmhRANCAAQnPzjy1bCitHhIZgJWmFxXGmk75VzL
    M/4qpgvgqbKorHIzE3ToPfNgfU+dipKiICpw78g77JzMBy5Gs4uIRppw
    -----END PRIVATE KEY-----
    """
let otherCertificate = """
    -----BEGIN CERTIFICATE-----
    MIIBsDCCAVagAwIBAgIUWaqK9zRzkH3fKFcut/6MDfZ1goUwCgYIKoZIzj0EAwIw
    HTEbMBkGA1UEAwwSb3RoZXIuZXhhbXBsZS50ZXN0MCAXDTI2MTEyMTAwNTMxNFoY
    DzIxMjYxMDI4MDA1MzE0WjAdMRswGQYDVQQDDBJvdGhlci5leGFtcGxlLnRlc3Qw
    WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQpb0Og71CybjbKtJWKOISQ1CYGlUT4
    HkmAAKXGVM5ztoYf5dov6CBdBmCTTkN/R5J+cx6lOVleLGOOWztUQycqo3IwcDAd
    BgNVHQ4EFgQUmsUQbcnJShWKJvtk1I+8nuhHOOQwHwYDVR0jBBgwFoAUmsUQbcnJ
    ShWKJvtk1I+8nuhHOOQwDwYDVR0TAQH/BAUwAwEB/zAdBgNVHREEFjAUghJvdGhl
    ci5leGFtcGxlLnRlc3QwCgYIKoZIzj0EAwIDSAAwRQIhAP3TjenSVmc5hxCAAVor
    5EC1UHgKgDMBwN7KlkRing49AiBJmTDfxYfuXwuoALSMLyhYpjthvqAVRQW4Pwll
    2a6T6Q==
    -----END CERTIFICATE-----
    """
let otherKey = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgu+SAxy6oVWellhtX
    UhEHXB423wyoJiTr3PmNn8r4tcChRANCAAQpb0Og71CybjbKtJWKOISQ1CYGlUT4
    HkmAAKXGVM5ztoYf5dov6CBdBmCTTkN/R5J+cx6lOVleLGOOWztUQycq
    -----END PRIVATE KEY-----
    """
