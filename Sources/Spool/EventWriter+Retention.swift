// History ends after its time: whole segments go, oldest first, and never one that somebody still has to read.

package import Kernel
package import SpoolFormat

extension EventWriter {
    /// Removes segments that were last written before `limit`; at most once an hour.
    ///
    /// `consumed` is how far the program that acts on this log has durably read it; nil if none does. The newest segment
    /// stays whatever its age: a number that was used again would hide what is written next.
    package func expire(before limit: WallTime, consumed: LogPosition? = nil, now: MonotonicTime) throws(KernelError) {
        guard now - lastExpiry >= .seconds(3600) else { return }
        lastExpiry = now
        for number in try log.segments() {
            guard number < log.end.segment, consumed.map({ number < $0.segment }) ?? true,
                try log.modified(number) < limit.nanoseconds
            else { return }
            try log.dropSegment(number)
        }
    }
}
