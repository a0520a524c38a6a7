// Every SMTP and submission transcript against the machine, whole lines and byte by byte.

import MailTestKit
import Testing

struct TranscriptTests {
    @Test(arguments: try Transcript.all(in: "smtp"))
    func smtp(transcript: Transcript) throws {
        #expect(try transcript.failure(in: SMTPWorld.self) == nil)
        #expect(try transcript.failure(in: SMTPWorld.self, chopped: true) == nil)
    }

    @Test(arguments: try Transcript.all(in: "submission"))
    func submission(transcript: Transcript) throws {
        #expect(try transcript.failure(in: SMTPWorld.self) == nil)
        #expect(try transcript.failure(in: SMTPWorld.self, chopped: true) == nil)
    }

    /// An empty folder would make the tests above pass by doing nothing.
    @Test func thereAreTranscripts() throws {
        #expect(try Transcript.all(in: "smtp").count >= 40)
        #expect(try Transcript.all(in: "submission").count >= 15)
    }
}
