// Stored passwords: published vectors of every scheme, and texts that are refused.

import MailModel
import SASLProtocol
import Testing

@testable import Directory

struct SecretTests {
    /// Text, password. crypt(3) vectors are those of the PHP manual; SHA-crypt made by OpenSSL, yescrypt by libxcrypt.
    static let vectors: [(String, String)] = [
        ("{CRYPT}rl.3StKT.4T8M", "rasmuslerdorf"),
        ("{CRYPT}$1$rasmusle$rISCgZzpwk3UhDidwXvin0", "rasmuslerdorf"),
        ("{MD5-CRYPT}$1$rasmusle$rISCgZzpwk3UhDidwXvin0", "rasmuslerdorf"),
        ("$2y$07$usesomesillystringfore2uDLvp1Ii2e./U9C8sBjqp8I90dH6hi", "rasmuslerdorf"),
        ("{BLF-CRYPT}$2y$07$usesomesillystringfore2uDLvp1Ii2e./U9C8sBjqp8I90dH6hi", "rasmuslerdorf"),
        ("{SHA256-CRYPT}$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "Hello world!"),
        ("{SHA512-CRYPT}$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1", "Hello world!"),
        ("$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1", "Hello world!"),
        ("{crypt}$y$j9T$F5Jx5fExrKuPp53xLKQ..1$0W6x.8oYMht0v5ygNv1mbSCWG7xVLQZB/hpzXEDmdtD", "tr0ub4dor&3"),
        ("{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "secret"),
        ("{SHA256}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=", "secret"),
        ("{SSHA}UgCJjM+VJJYduihDuk0aPpDtY9RzYWx0eQ==", "secret"),
        ("{SSHA256}W2T0GtMfT9mqz2M6M2ugt7C4HxacLEVv3JHoqCU1LXpzYWx0eQ==", "secret"),
        ("{SSHA512}cRZVawawrjxEyxFRA5IQOfoJR5ixDDGC21An2/SCqd4g0ur+UDDKUeANewBNE6RQaXqEPXjVWqZu8Xmy/YU3V3NhbHR5", "secret"),
        ("{PLAIN}secret: with {all}$ of it", "secret: with {all}$ of it"),
        ("{CLEARTEXT}ä", "ä"),
        // RFC 7677 §3, in the forms of RFC 5803 and Dovecot
        ("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=", "pencil"),
        ("{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=", "pencil"),
    ]

    // The wrong ones differ at the front: DES looks at eight bytes.
    @Test(arguments: vectors) func checksEveryScheme(_ text: String, _ password: String) throws {
        let secret = try #require(Secret(parsing: Array(text.utf8)))
        #expect(secret.matches(Array(password.utf8)))
        #expect(!secret.matches(Array(("x" + password).utf8)))
        #expect(!secret.matches(Array(password.utf8.dropFirst())))
        #expect(!secret.matches([]))
        #expect(Secret(parsing: secret.text) == secret)
    }

    @Test(arguments: [
        "", "secret", "{", "{}", "{NONE}x", "{ARGON2ID}$argon2id$v=19$x", "{CRYPT}", "{CRYPT}*", "{CRYPT}!$6$x", "$", "$9$x$y",
        "{SHA}5en6G6MezRroT3XKqkdPOmY=", "{SSHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "{SSHA256}AAAA", "{PLAIN}", "{PLAIN}a\u{0}b", "{PLAIN}a\nb",
        "SCRAM-SHA-256$4096:W22Z$WG5d:wfPL", "{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d", "{SCRAM-SHA-256}",
        "SCRAM-SHA-256$0:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        "SCRAM-SHA-256$99999999:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
    ]) func refusesWhatItCouldNotCheck(_ text: String) {
        #expect(Secret(parsing: Array(text.utf8)) == nil)
    }

    @Test func aPasswordThatCryptWouldCutShortMatchesNothing() throws {
        let hash = try #require(Secret(parsing: Array("{CRYPT}rl.3StKT.4T8M".utf8)))
        #expect(!hash.matches(Array("rasmuslerdorf\u{0}more".utf8)))
        #expect(!hash.matches([UInt8](repeating: 0x61, count: 600)))
    }

    @Test func derivesTheKeysOfRFC7677() throws {
        let salt = try #require(Base64.decode(Array("W22ZaJ0SNY7soEsUEjb6gQ==".utf8)))
        let secret = Secret.scram(password: Array("pencil".utf8), salt: salt)
        #expect(secret.text.display == SecretTests.vectors.dropLast().last?.0)
    }

    /// The dialogue of RFC 7677 §3, byte for byte, with our cryptography below the machine.
    @Test func speaksTheExchangeOfRFC7677() throws {
        let salt = try #require(Base64.decode(Array("W22ZaJ0SNY7soEsUEjb6gQ==".utf8)))
        let verifier = try #require(Secret.scram(password: Array("pencil".utf8), salt: salt).verifier)
        let nonce = Array("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0".utf8)
        var exchange = try #require(ServerExchange(mechanism: Array("scram-sha-256".utf8), hashes: .crypto, nonce: nonce))
        #expect(
            exchange.start(initialResponse: Array("n,,n=user,r=rOprNGfwEbeRWgbNEkqO".utf8))
                == .ask(.scramVerifier(authentication: Array("user".utf8))))
        #expect(
            exchange.credential(verifier, known: true, identity: Array("user".utf8))
                == .challenge(Array("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096".utf8)))
        let final = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        #expect(exchange.response(Array(final.utf8)) == .challenge(Array("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=".utf8)))
        #expect(exchange.response([]) == .success(identity: Array("user".utf8)))
    }
}
