// When mail is tried again: soon, then less and less often, and for five days.

import Kernel
import MailModel
import Testing

@testable import queued

@Suite struct RetryScheduleTests {
    /// As the configuration's defaults have it.
    let schedule = RetrySchedule(initial: 300, maximum: 14_400, giveUp: 432_000, jitter: 10)
    let now = WallTime(seconds: 1_800_000_000)

    private func pause(after attempts: Int, of number: Int) -> Int64 { schedule.next(after: attempts, now: now, id: messageID(number)).seconds - now.seconds }

    @Test(arguments: zip(1...8, [300, 600, 1200, 2400, 4800, 9600, 14_400, 14_400] as [Int64])) func pausesDoubleUpToTheLongest(_ attempts: Int, _ base: Int64) {
        for number in 1...100 { #expect(base..<(base + base / 10) ~= pause(after: attempts, of: number)) }
    }

    @Test func whatFailedTogetherDoesNotComeBackTogether() {
        let busiest = Dictionary(grouping: 1...10_000) { pause(after: 7, of: $0) / 60 }.values.map(\.count).max() ?? 0
        // Twenty-four minutes for ten thousand messages.
        #expect(busiest < 600, "\(busiest)")
    }

    @Test func itEndsAfterFiveDaysAndNotBeforeItWasTried() {
        let accepted = now.adding(seconds: -432_001)
        var attempts = 1, waited: Int64 = 0
        while waited < 432_000 {
            #expect(!schedule.isExhausted(attempts: attempts, accepted: accepted, now: now))
            waited += pause(after: attempts, of: 1)
            attempts += 1
            if attempts > 100 { break }
        }
        #expect(30...37 ~= attempts, "\(attempts)")
        #expect(schedule.isExhausted(attempts: attempts + 3, accepted: accepted, now: now))
        #expect(!schedule.isExhausted(attempts: attempts + 3, accepted: now.adding(seconds: -431_000), now: now))
    }
}
