// The tree of parts: shape, byte ranges and line counts, for good messages and malformed ones.

import MailTestKit
import Testing

@testable import MailFormat

@Suite struct MIMEStructureTests {
    /// Each part as `depth type/subtype [body] lines`.
    private func shown(_ message: [UInt8]) -> [String] {
        let parts = MIMEStructure(of: message).parts
        return parts.map { part in
            var depth = 0
            var above = part.parent
            while let index = above {
                depth += 1
                above = parts[index].parent
            }
            let type = text(part.contentType.type) + "/" + text(part.contentType.subtype)
            let body = part.kind == .leaf ? " [" + text(message[part.body].filter { $0 != 0x0D }) + "] \(part.lineCount)" : ""
            return "\(depth) \(type)\(body)"
        }
    }

    private static let mixed = "Content-Type: multipart/mixed; boundary=b\n\n"

    @Test(arguments: [
        ("Subject: x\n\nbody\n", ["0 text/plain [body\n] 1"]),
        ("Subject: x", ["0 text/plain [] 0"]),
        ("", ["0 text/plain [] 0"]),
        (mixed + "prologue\n--b\n\none\n--b\nContent-Type: text/html\n\ntwo\nlines\n--b--\nepilogue\n",
            ["0 multipart/mixed", "1 text/plain [one] 0", "1 text/html [two\nlines] 1"]),
        (mixed + "--b\n\none\n\n--b--\n", ["0 multipart/mixed", "1 text/plain [one\n] 1"]),
        (mixed + "--b\n\none", ["0 multipart/mixed", "1 text/plain [one] 0"]),
        (mixed + "--b\n\n--b--", ["0 multipart/mixed", "1 text/plain [] 0"]),
        (mixed + "--b\n--b\nX: y\n--b--", ["0 multipart/mixed", "1 text/plain [] 0", "1 text/plain [] 0"]),
        (mixed + "--b  \t\n\none\n--b-- \n--b\n\nafter the end", ["0 multipart/mixed", "1 text/plain [one] 0"]),
        (mixed + "--bb\n--b\n\none\n--bb\n--\n-- b\n--b--", ["0 multipart/mixed", "1 text/plain [one\n--bb\n--\n-- b] 3"]),
        (mixed + "no boundary ever", ["0 multipart/mixed"]),
        ("Content-Type: multipart/mixed\n\n--b\n\none\n--b--", ["0 multipart/mixed"]),
        (mixed + "--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\n1\n--c\n\n2\n--c--\n--b\n\n3\n--b--\n",
            ["0 multipart/mixed", "1 multipart/alternative", "2 text/plain [1] 0", "2 text/plain [2] 0", "1 text/plain [3] 0"]),
        // The inner end is missing: the outer boundary ends both.
        (mixed + "--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\n1\n--b\n\n3\n--b--\n",
            ["0 multipart/mixed", "1 multipart/alternative", "2 text/plain [1] 0", "1 text/plain [3] 0"]),
        // The same boundary inside and outside: it is the inner one's until that ends.
        (mixed + "--b\nContent-Type: multipart/x; boundary=b\n\n--b\n\n1\n--b--\n--b\n\n2\n--b--\n",
            ["0 multipart/mixed", "1 multipart/x", "2 text/plain [1] 0", "1 text/plain [2] 0"]),
        (mixed + "--b\nContent-Type: message/rfc822\n\nSubject: in\n\ninner\n--b\n\n2\n--b--",
            ["0 multipart/mixed", "1 message/rfc822", "2 text/plain [inner] 0", "1 text/plain [2] 0"]),
        ("Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: in\n\ninner\n--b\nContent-Type: text/plain\n\nx\n--b--",
            ["0 multipart/digest", "1 message/rfc822", "2 text/plain [inner] 0", "1 text/plain [x] 0"]),
        ("Content-Type: message/rfc822\n\nContent-Type: message/rfc822\n\nSubject: x\n\ny",
            ["0 message/rfc822", "1 message/rfc822", "2 text/plain [y] 0"]),
        ("Content-Type: bad\nContent-Type: text/html\n\nx", ["0 text/html [x] 0"]),
    ])
    func structureIsFound(_ sample: String, _ expected: [String]) {
        #expect(shown(wire(sample)) == expected)
        #expect(shown(bytes(sample)) == expected)
    }

    @Test func fieldsOfAPartAreRead() throws {
        let message = wire("""
            Content-Type: multipart/mixed; boundary=b

            --b
            Content-Type: image/png; name=a.png
            Content-Transfer-Encoding: BASE64
            Content-ID: <1@x>
            Content-Description: a
             picture
            Content-Disposition: attachment; filename=a.png
            Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==
            Content-Language: en, de
            Content-Location: http://x/
            X-Other: y

            aGVsbG8=
            --b--
            """)
        let part = try #require(MIMEStructure(of: message).parts.last)
        #expect(part.contentType.matches("image", "PNG"))
        #expect(part.transferEncoding == bytes("BASE64"))
        #expect(part.encoding.decode(message[part.body]) == bytes("hello"))
        #expect(part.id == bytes("<1@x>"))
        #expect(part.description == bytes("a picture"))
        #expect(part.disposition?.type == bytes("attachment"))
        #expect(part.md5 == bytes("Q2hlY2sgSW50ZWdyaXR5IQ=="))
        #expect(part.languages == [bytes("en"), bytes("de")])
        #expect(part.location == bytes("http://x/"))
        #expect(part.envelope == nil)
    }

    @Test func depthIsBounded() {
        var message: [UInt8] = []
        for level in 0..<10_000 { message += wire("Content-Type: multipart/mixed; boundary=b\(level)\n\n--b\(level)\n") }
        let structure = MIMEStructure(of: message)
        #expect(structure.parts.count == MIMEStructure.maximumDepth)
        #expect(structure.isTruncated)
        let messages = [UInt8](repeatElement(wire("Content-Type: message/rfc822\n\n"), count: 10_000).joined())
        #expect(MIMEStructure(of: messages).parts.count == MIMEStructure.maximumDepth)
    }

    @Test func numberOfPartsIsBounded() {
        let message = wire(Self.mixed) + [UInt8](repeatElement(wire("--b\n\nx\n"), count: 30_000).joined())
        let structure = MIMEStructure(of: message)
        #expect(structure.parts.count == MIMEStructure.maximumParts)
        #expect(structure.isTruncated)
        #expect(text(message[structure.parts[structure.parts.count - 1].body]) == "x")
    }

    /// Parents come before children, children lie within parents, siblings in order; whatever the bytes are.
    @Test func rangesNest() {
        var generator = SeededGenerator()
        let pieces = ["--b\n", "--b--\n", "--c\n", "--c--\n", "\n", "text\n", "Content-Type: multipart/mixed; boundary=b\n",
            "Content-Type: multipart/x; boundary=c\n", "Content-Type: message/rfc822\n", "\r", "--", "X: y\n", " z\n"]
        for _ in 0..<3000 {
            let count = Int.random(in: 0...25, using: &generator)
            let message = wire(Self.mixed) + (0..<count).flatMap { _ in wire(pieces.randomElement(using: &generator) ?? "") }
            let parts = MIMEStructure(of: message).parts
            for (index, part) in parts.enumerated() {
                #expect(part.header.upperBound == part.body.lowerBound && part.body.upperBound <= message.count)
                if let parent = part.parent {
                    #expect(parent < index && parts[parent].children.contains(index))
                    #expect(parts[parent].body.lowerBound <= part.header.lowerBound)
                    #expect(part.body.upperBound <= max(parts[parent].body.upperBound, part.body.lowerBound))
                }
                #expect(part.lineCount == message[part.body].count { $0 == 0x0A } || part.body.isEmpty)
                for (one, next) in zip(part.children, part.children.dropFirst()) {
                    #expect(parts[one].body.upperBound <= parts[next].header.lowerBound)
                }
            }
        }
    }
}

@Suite struct SectionTests {
    /// The example of RFC 9051 §6.4.5.1, small.
    private let message = wire("""
        Subject: outer
        Content-Type: multipart/mixed; boundary=b

        --b
        X: 1

        one
        --b
        X: 2

        two
        --b
        X: 3
        Content-Type: message/rfc822

        Subject: inner
        Content-Type: multipart/mixed; boundary=c

        --c

        three one
        --c

        three two
        --c--
        --b
        X: 4
        Content-Type: message/rfc822

        Subject: single

        four
        --b--
        """)

    private func section(_ path: [Int], _ part: MIMEStructure.SectionText) -> String? {
        MIMEStructure(of: message).range(of: path, part).map { text(message[$0].filter { $0 != 0x0D }) }
    }

    @Test func sectionsAreThoseOfTheRFC() {
        #expect(section([1], .whole) == "one")
        #expect(section([2], .mime) == "X: 2\n\n")
        #expect(section([3], .header) == "Subject: inner\nContent-Type: multipart/mixed; boundary=c\n\n")
        #expect(section([3, 1], .whole) == "three one")
        #expect(section([3, 2], .mime) == "\n")
        #expect(section([3], .text)?.hasPrefix("--c\n\nthree one") == true)
        #expect(section([4, 1], .whole) == "four")
        #expect(section([4], .text) == "four")
        #expect(section([4], .whole) == "Subject: single\n\nfour")
        #expect(section([], .header)?.hasPrefix("Subject: outer\n") == true)
        #expect(section([], .whole)?.utf8.count == message.filter { $0 != 0x0D }.count)
        #expect(section([], .text)?.hasPrefix("--b\nX: 1") == true)
    }

    @Test(arguments: [[0], [5], [-1], [1, 1], [1, 1, 1], [3, 3], [4, 2], [4, 1, 1], [3, 1, 1], [Int.max], Array(repeating: 1, count: 5000)])
    func otherPathsNameNothing(_ path: [Int]) {
        #expect(section(path, .whole) == nil)
    }

    @Test func textOfALeafIsNothing() {
        #expect(section([1], .text) == nil)
        #expect(section([1], .header) == nil)
        #expect(section([], .mime) == nil)
    }

    @Test func singlePartMessageIsItsOwnPartOne() {
        let message = wire("Subject: x\n\nbody")
        let structure = MIMEStructure(of: message)
        #expect(structure.range(of: [1], .whole).map { text(message[$0]) } == "body")
        #expect(structure.range(of: [1], .mime).map { text(message[$0]) } == "Subject: x\r\n\r\n")
        #expect(structure.part(at: [1, 1]) == nil)
        #expect(structure.part(at: [2]) == nil)
    }

    @Test func messagesInsideHaveTheirEnvelope() {
        let structure = MIMEStructure(of: message)
        #expect(structure.root.envelope?.subject == bytes("outer"))
        #expect(structure.message(at: [3])?.envelope?.subject == bytes("inner"))
        #expect(structure.message(at: [4])?.envelope?.subject == bytes("single"))
        #expect(structure.message(at: [1]) == nil)
        #expect(structure.parts.count { $0.envelope != nil } == 3)
    }
}

@Suite struct MessageEnvelopeTests {
    private func envelope(_ sample: String) -> MessageEnvelope {
        let message = wire(sample)
        return MessageEnvelope(HeaderSection(of: message), in: message)
    }

    @Test func fieldsAreRaw() {
        let found = envelope("""
            date: Fri, 21 Nov 1997 09:55:06 -0600
            SUBJECT: =?utf-8?q?=C3=BC?=
              folded
            From: A <a@x>
            To: b@x
            To: c@x, d@x
            Cc: e@x
            Bcc: f@x
            Message-Id: <1@x>
            In-Reply-To: <0@x>
            Subject: second

            """)
        #expect(found.date == bytes("Fri, 21 Nov 1997 09:55:06 -0600"))
        #expect(found.subject == bytes("=?utf-8?q?=C3=BC?=  folded"))
        #expect(found.from.mailboxes.first?.name == bytes("A"))
        #expect(found.sender == found.from && found.replyTo == found.from)
        #expect(found.to.mailboxes.map(\.localPart) == [bytes("b"), bytes("c"), bytes("d")])
        #expect(found.cc.items.count == 1 && found.bcc.items.count == 1)
        #expect(found.messageID == bytes("<1@x>") && found.inReplyTo == bytes("<0@x>"))
    }

    @Test func absentFieldsAreNilAndEmptyOnesEmpty() {
        #expect(envelope("Subject:\n\n").subject == [])
        #expect(envelope("X: y\n\n").subject == nil)
        #expect(envelope("From: a@x\nSender: b@x\nReply-To:\n\n").replyTo.mailboxes.map(\.localPart) == [bytes("a")])
        #expect(envelope("From: a@x\nSender: b@x\n\n").sender.mailboxes.map(\.localPart) == [bytes("b")])
    }
}
