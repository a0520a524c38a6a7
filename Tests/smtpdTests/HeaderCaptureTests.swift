// The header that filters are shown is the same, however the message came in pieces.

import MilterProtocol
import Testing

@testable import smtpd

@Suite struct HeaderCaptureTests {
    @Test(arguments: ["A: b\r\n\r\nbody\r\n", "A: b\n\nbody\n", "\r\nbody", "\n", "A: b\r\n", "A: b\r\n \r\n\r\nx\r\n\r\n", "A\r\r\n\r\n", ""])
    func anySplitGivesTheSameHeader(_ text: String) {
        let content = Array(text.utf8)
        let header = Array(content[..<MessageEdits.bodyStart(of: content)])
        #expect(HeaderCapture(content).bytes == header)
        for split in content.indices {
            var capture = HeaderCapture()
            capture.hear(Array(content[..<split]))
            capture.hear(Array(content[split...]))
            #expect(capture.bytes == header)
        }
    }

    @Test func itsMemoryIsBounded() {
        var capture = HeaderCapture()
        for _ in 0..<100 { capture.hear([UInt8](repeating: 0x41, count: 1 << 16)) }
        #expect(capture.isTooLong && capture.bytes.count <= (1 << 20) + (1 << 16))
    }
}
