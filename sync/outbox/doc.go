// Package outbox settles with the library's system (the ILS) what the desk
// has decided without it: each entry takes effect there exactly once, or ends
// as an exception for staff.
//
// No ILS knows a repeated question from a new one (a second checkout is a
// renewal), so nothing is told unseen. Four rules keep that over lost answers,
// cut lines and a process that is killed at any point:
//
//   - Every entry is looked up (Upstream.Look) before it is told, the first
//     time as well: another desk may have lent the item since, and a return
//     would end whatever loan there is by then. What follows is in the table
//     cases, by which [Decide] goes; what follows from the answer, in the tables
//     grants and refusals beside it.
//   - An entry in state Offline is marked Unsure on disk before it is told, at
//     the price of one synced write. What is Unsure is decided as what the ILS
//     may have heard of, by whichever process comes to it; not before
//     [Config].Grace has gone by since it was sent, as far as this process
//     knows: a question on a dying line may still arrive.
//   - With the mark of a return goes the due date of the loan that it ends, by
//     which that loan is told from a later one.
//   - An outcome is written only after the answer. If that write is lost,
//     the next look finds what was done.
//
// An entry that was Asked when its process died becomes Unsure at the start
// (kiosk.Outbox.Interrupted), but nobody was promised anything. For a
// checkout or a renewal that shows in its due date, which is set by the
// promise: without one, the ILS's word stands and nothing is sent again. But a
// loan of a tagged item is taken back at once, where the ILS is known to do so
// (kiosk.Undoer): nobody was told of it, its tag was not released, and a patron
// who has left without the book must not owe it. A
// return can't be told apart, and need not be: the copy was in the kiosk's
// hands, and telling a return that nobody has seen confirmed blames no one,
// while dropping it might.
//
// What follows from the class of an error:
//
//	refused   settled if the refusal shows that it is done already, else an exception
//	offline   the link is down: probe until it is back, then go on
//	unsure    stays Unsure, tried again later; the link is probed first
//	invalid   exception
//	internal  tried again later, never given up
//
// Entries are told in the order in which they were recorded as far as they
// concern the same item or the same patron; others pass by one that is stuck.
// Several are under way at once: while the outcome of one is being synced,
// others are asked for, over as many lines as the ILS takes, but for one that
// is left to the desk. A new one is begun when the lines would else be idle
// soon: few with a slow ILS, many with a slow disk, which takes all that wait for
// it in one flush. What is looked up grows old until it is told, so who is to be
// told has the next line that is free.
//
// After an outage other kiosks have something to tell as well, and in which
// order kiosks do is chance. So the return of what the ILS does not have out
// waits for as long as the ILS was away, some minutes at most: if another kiosk
// has lent the copy before it came back here, that is told meanwhile.
//
// A server that answers probes and nothing else counts as down after a few
// entries, for the desk too, and is tried with one entry now and then.
//
// An ILS that heeds no-block lends what lies on the hold shelf for somebody
// else, and tells nobody: that is found by a second look, if the answer came.
// Where it was lost, the loan is found to be there, and the hold not.
//
// What can't be known from outside: a loan that took effect, whose answer was
// lost, and that was returned at another desk before the link came back looks
// like one that never arrived, and is told again. And of a copy that went
// through several hands during an outage, at several kiosks or at the
// library's own desk, an ILS that does not tell when a loan began can't say
// which of them was last: what does not fit becomes an exception, but a return
// may end a loan of before that was over already, and a loan be told that was.
package outbox
