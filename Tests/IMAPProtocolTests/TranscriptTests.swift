// Plays Tests/Transcripts/imap against the two session machines, whole and byte by byte.

import MailTestKit
import Testing

@Suite struct TranscriptTests {
    @Test(arguments: try Transcript.all(in: "imap"))
    func dialogueGoesAsWritten(_ transcript: Transcript) throws {
        for chopped in [false, true] {
            let failure = try transcript.failure(in: IMAPWorld.self, chopped: chopped)
            #expect(failure == nil, "chopped: \(chopped), \(failure?.description ?? "")")
        }
    }

    @Test func thereAreTranscripts() throws {
        #expect(try Transcript.all(in: "imap").count >= 40)
    }
}
