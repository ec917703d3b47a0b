package thaw.runtime;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.temporal.Temporal;
import java.util.Arrays;
import java.util.Date;

/** Dates and times as Jackson with its JavaTimeModule reads and writes them: numbers and arrays, and ISO-8601 when read. */
final class Times {
    private Times() {}

    /** Writes `value` where it is one of java.time's. */
    static boolean write(Object value, StringBuilder out) {
        if (!(value instanceof Temporal || value instanceof Duration || value instanceof ZoneId)) return false;
        if (value instanceof Instant) seconds(((Instant) value).getEpochSecond(), ((Instant) value).getNano(), out);
        else if (value instanceof ZonedDateTime) write(((ZonedDateTime) value).toInstant(), out);
        else if (value instanceof OffsetDateTime) write(((OffsetDateTime) value).toInstant(), out);
        else if (value instanceof Duration) seconds(((Duration) value).getSeconds(), ((Duration) value).getNano(), out);
        else if (value instanceof LocalDate) array(out, date((LocalDate) value));
        else if (value instanceof LocalTime) array(out, time((LocalTime) value));
        else if (value instanceof LocalDateTime) {
            LocalDateTime moment = (LocalDateTime) value;
            array(out, date(moment.toLocalDate()) + "," + time(moment.toLocalTime()));
        } else out.append(JsonWriter.quote(value.toString()));
        return true;
    }

    private static void seconds(long seconds, int nanos, StringBuilder out) {
        out.append(BigDecimal.valueOf(seconds).add(BigDecimal.valueOf(nanos, 9)).toPlainString());
    }

    private static void array(StringBuilder out, String values) {
        out.append('[').append(values).append(']');
    }

    private static String date(LocalDate date) {
        return date.getYear() + "," + date.getMonthValue() + "," + date.getDayOfMonth();
    }

    /** Seconds and nanoseconds are left out where they are zero. */
    private static String time(LocalTime time) {
        String text = time.getHour() + "," + time.getMinute();
        if (time.getSecond() != 0 || time.getNano() != 0) text += "," + time.getSecond();
        return time.getNano() == 0 ? text : text + "," + time.getNano();
    }

    /** A number of seconds since 1970, or of a Duration. */
    static Object ofSeconds(Class<?> type, BigDecimal seconds) {
        long whole = seconds.setScale(0, RoundingMode.FLOOR).longValue();
        long nanos = seconds.subtract(BigDecimal.valueOf(whole)).movePointRight(9).longValue();
        if (type == Duration.class) return Duration.ofSeconds(whole, nanos);
        Instant instant = Instant.ofEpochSecond(whole, nanos);
        if (type == Instant.class) return instant;
        if (type == ZonedDateTime.class) return instant.atZone(ZoneOffset.UTC);
        return type == OffsetDateTime.class ? instant.atOffset(ZoneOffset.UTC) : null;
    }

    /** The parts of a local date, time or both. */
    static Object ofParts(Class<?> type, int[] parts) {
        int dateParts = type == LocalTime.class ? 0 : 3;
        LocalDate date = dateParts == 0 ? null : LocalDate.of(parts[0], parts[1], parts[2]);
        if (type == LocalDate.class) return date;
        int[] rest = Arrays.copyOf(Arrays.copyOfRange(parts, dateParts, parts.length), 4);
        LocalTime time = LocalTime.of(rest[0], rest[1], rest[2], rest[3]);
        return type == LocalTime.class ? (Object) time : LocalDateTime.of(date, time);
    }

    /** A Date in one of the forms that Jackson reads: ISO-8601 with or without time, offset and fraction. */
    static Date date(String text) {
        if (text.length() == 10) return Date.from(LocalDate.parse(text).atStartOfDay(ZoneOffset.UTC).toInstant());
        // +0000 is allowed beside +00:00.
        String form = text.replaceFirst("([+-]\\d\\d)(\\d\\d)$", "$1:$2");
        boolean zoned = form.endsWith("Z") || form.matches(".*T.*[+-]\\d\\d:\\d\\d$");
        return Date.from(OffsetDateTime.parse(zoned ? form : form + "Z").toInstant());
    }
}
