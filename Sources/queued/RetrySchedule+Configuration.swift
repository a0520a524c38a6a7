// The schedule that the configuration asks for.

import Configuration

extension RetrySchedule {
    init(_ retry: Configuration.Retry) {
        self.init(
            initial: retry.initial.components.seconds, maximum: retry.maximum.components.seconds, giveUp: retry.giveUp.components.seconds,
            jitter: Int64(retry.jitter), delayNotice: retry.delayNotice.components.seconds)
    }
}
