// A message for a server without 8BITMIME: 7 bits, the same content in every part, and no header changed but the encoding.

import MailTestKit
import Testing

@testable import MailFormat

@Suite struct SevenBitEncoderTests {
    private func plan(_ pieces: [ArraySlice<UInt8>]) -> Result<SevenBitPlan, ConversionError> {
        var survey = EightBitSurvey()
        for piece in pieces { survey.append(piece) }
        return survey.finish()
    }

    private func encoded(_ pieces: [ArraySlice<UInt8>]) throws -> [UInt8] {
        var encoder = SevenBitEncoder(try plan(pieces).get())
        var out: [UInt8] = []
        for piece in pieces { encoder.append(piece, to: &out) }
        encoder.finish(to: &out)
        return out
    }

    private func encoded(_ message: String) throws -> String { text(try encoded([wire(message)[...]])) }
    private func obstacle(_ message: String) -> ConversionObstacle? {
        guard case .failure(let error) = plan([wire(message)[...]]) else { return nil }
        return error.obstacle
    }

    @Test func textBecomesQuotedPrintable() throws {
        #expect(try encoded("Subject: x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\nX: y\n\nmany kind Grüße = \n")
            == text(wire("Subject: x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\nX: y\n\nmany kind Gr=C3=BC=C3=9Fe =3D=20\n")))
    }

    @Test func whatNobodyNamedIsSaidToBeUnknown() throws {
        #expect(try encoded("Subject: x\n\nplain words, one of them grün\n")
            == text(wire("Subject: x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=unknown-8bit\nContent-Transfer-Encoding: quoted-printable\n\nplain words, one of them gr=C3=BCn\n")))
    }

    @Test func partsChangeOneByOne() throws {
        let message = "Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: 8bit\n\npre ü\n--b\n\nascii\n--b\nContent-Type: text/html; charset=utf-8\n\na quite long enough text with ü\n--b\nContent-Type: application/x\nContent-Transfer-Encoding: binary\n\nüüü\n--b--\nend\n"
        #expect(try encoded(message) == text(wire("Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: 7bit\n\npre ??\n--b\n\nascii\n--b\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\na quite long enough text with =C3=BC\n--b\nContent-Type: application/x\nContent-Transfer-Encoding: base64\n\nw7zDvMO8\n--b--\nend\n")))
    }

    @Test func messagesInsideAreLookedInto() throws {
        let message = "Content-Type: message/rfc822\nContent-Transfer-Encoding: 8bit\n\nContent-Type: text/plain; charset=utf-8\n\nenough text around one ü\n"
        #expect(try encoded(message) == text(wire("Content-Type: message/rfc822\nContent-Transfer-Encoding: 7bit\n\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nenough text around one =C3=BC\n")))
    }

    @Test(arguments: [
        ("Subject: ü\n\nx\n", ConversionObstacle.header),
        ("Content-Type: multipart/mixed; boundary=b\n\n--b\nX: ü\n\nx\n--b--\n", .header),
        ("Content-Type: multipart/signed; boundary=b\n\n--b\n\nsigned ü\n--b\nContent-Type: application/pgp-signature\n\nx\n--b--\n", .signed),
        ("Content-Type: multipart/signed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\nü\n--c--\n--b--\n", .signed),
        ("Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\nü\n", .structure),
        ("Content-Type: text/plain\nContent-Transfer-Encoding: x-own\n\nü\n", .structure),
        ("Content-Type: message/partial; id=a; number=1\n\nü\n", .structure),
        ("Content-Type: multipart/mixed\n\nü\n", .structure),
    ])
    func whatCannotChangeIsSaid(message: String, expected: ConversionObstacle) {
        #expect(obstacle(message) == expected)
    }

    @Test func aSignedPartThatIsASCIIStaysBesideOneThatChanges() throws {
        let signed = "--b\nContent-Type: multipart/signed; boundary=s\n\n--s\nContent-Transfer-Encoding: 8bit\n\nsigned  \n--s\n\nx\n--s--\n"
        let out = try encoded("Content-Type: multipart/mixed; boundary=b\n\n" + signed + "--b\n\nthis one has an ü\n--b--\n")
        #expect(out.utf8.elementsEqual(text(wire("Content-Type: multipart/mixed; boundary=b\n\n" + signed
            + "--b\nContent-Type: text/plain; charset=unknown-8bit\nContent-Transfer-Encoding: quoted-printable\n\nthis one has an =C3=BC\n--b--\n")).utf8))
    }

    @Test func onlySMTPUTF8ExplainsAHeader() {
        for (message, isASCII) in [("Subject: ü\n\nx\n", false), ("Subject: x\n\nü\n", true), ("Content-Type: multipart/signed; boundary=b\n\n--b\nX: ü\n\n--b--\n", false)] {
            var survey = EightBitSurvey()
            survey.append(wire(message)[...])
            _ = survey.finish()
            #expect(survey.isHeaderASCII == isASCII)
        }
    }

    /// Bytes that are mostly line ends, blanks, dashes and the boundary: every part decodes to what it was, in 7 bits and short lines.
    @Test(arguments: 0..<80 as Range<UInt64>)
    func partsDecodeToWhatTheyWere(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let words = ["\r\n", "\r\n", "--", "-", "x", " ", "\t", "=", "ü", "abc", "\u{0}", ".", "From ", String(repeating: "y", count: 1100), String(repeating: "é", count: 40)]
        func body() -> [UInt8] { (0..<Int.random(in: 0...40, using: &random)).flatMap { _ in bytes(words.randomElement(using: &random) ?? "") } }
        var message = bytes("Content-Type: multipart/mixed; boundary=bb\r\nContent-Transfer-Encoding: 8bit\r\n\r\n")
        let bodies = (0..<4).map { _ in body() }
        for (number, body) in bodies.enumerated() {
            message += bytes("--bb\r\nContent-Type: \(number % 2 == 0 ? "text/plain" : "application/x")\r\nContent-Transfer-Encoding: 8bit\r\n\r\n") + body + bytes("\r\n")
        }
        message += bytes("--bb--\r\n")
        let whole = try encoded([message[...]])
        #expect(Chop.difference(message, places: 10, seed: seed) { try? encoded($0) } == nil, "seed \(seed)")
        #expect(whole.allSatisfy { $0 < 0x80 })
        let before = MIMEStructure(of: message), after = MIMEStructure(of: whole)
        #expect(before.parts.count == after.parts.count, "seed \(seed)")
        for (old, new) in zip(before.parts, after.parts).dropFirst() {
            #expect(new.encoding.decode(whole[new.body]) == Array(message[old.body]), "seed \(seed)")
            guard message[old.body].contains(where: { $0 > 0x7F }) else { continue }
            #expect(whole[new.body].split(separator: 10).allSatisfy { $0.count <= 77 }, "seed \(seed)")
        }
    }

    @Test func depthAndLengthAreBounded() throws {
        var message = ""
        for level in 0..<2000 { message += "Content-Type: multipart/mixed; boundary=b\(level)\n\n--b\(level)\n" }
        #expect(try encoded(message + "\nx\n").isEmpty == false)
        #expect(obstacle(message + "\nü\n") == .structure)
        var survey = EightBitSurvey()
        for _ in 0..<200 { survey.append([UInt8](repeating: 0x61, count: 10_000)[...]) }
        #expect(survey.finish() == .failure(ConversionError(obstacle: .structure)), "a header without an end")
    }
}
