package thaw.runtime;

import java.lang.reflect.GenericArrayType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;

/** A type with what its type variables stand for. */
final class Types {
    final Class<?> raw;
    private final Type type;
    private final Map<TypeVariable<?>, Type> variables;

    private Types(Type type, Class<?> raw, Map<TypeVariable<?>, Type> variables) {
        this.type = type;
        this.raw = raw;
        this.variables = variables;
    }

    static Types of(Type type) {
        return of(type, Collections.<TypeVariable<?>, Type>emptyMap());
    }

    private static Types of(Type type, Map<TypeVariable<?>, Type> variables) {
        if (type instanceof Class) return new Types(type, (Class<?>) type, variables);
        if (type instanceof TypeVariable) {
            Type known = variables.get(type);
            return known == null || known == type ? of(((TypeVariable<?>) type).getBounds()[0], variables) : of(known, variables);
        }
        if (type instanceof WildcardType) return of(((WildcardType) type).getUpperBounds()[0], variables);
        if (type instanceof GenericArrayType) {
            Types element = of(((GenericArrayType) type).getGenericComponentType(), variables);
            return new Types(type, java.lang.reflect.Array.newInstance(element.raw, 0).getClass(), variables);
        }
        ParameterizedType parameterized = (ParameterizedType) type;
        Class<?> raw = (Class<?>) parameterized.getRawType();
        Map<TypeVariable<?>, Type> extended = new HashMap<TypeVariable<?>, Type>(variables);
        Type[] arguments = parameterized.getActualTypeArguments();
        for (int i = 0; i < arguments.length; i++) extended.put(raw.getTypeParameters()[i], resolve(arguments[i], variables));
        return new Types(type, raw, extended);
    }

    private static Type resolve(Type argument, Map<TypeVariable<?>, Type> variables) {
        Type known = argument instanceof TypeVariable ? variables.get(argument) : null;
        return known == null ? argument : known;
    }

    /** The type of a member of this class, as its declaration writes it. */
    Types member(Type declared) {
        return of(declared, variables);
    }

    /** What an array holds. */
    Types element() {
        if (type instanceof GenericArrayType) return of(((GenericArrayType) type).getGenericComponentType(), variables);
        return of(raw.getComponentType(), variables);
    }

    /** What stands for a parameter of {@code generic}, such as that of {@code Collection}; Object where nothing does. */
    Types argument(Class<?> generic, int index) {
        Types found = upTo(generic);
        return found == null ? of(Object.class) : of(found.raw.getTypeParameters()[index], found.variables);
    }

    /** This type seen as a superclass or interface of it, or null where it is none. */
    Types upTo(Class<?> target) {
        if (raw == target) return this;
        if (!target.isAssignableFrom(raw)) return null;
        for (Type parent : raw.getGenericInterfaces()) {
            Types found = of(parent, variables).upTo(target);
            if (found != null) return found;
        }
        Type parent = raw.getGenericSuperclass();
        return parent == null ? null : of(parent, variables).upTo(target);
    }

    /** The superclass with what its variables stand for, or null. */
    Types parent() {
        Type parent = raw.getGenericSuperclass();
        return parent == null ? null : of(parent, variables);
    }

    /** What a class gives for the parameters of an interface that it implements, or null where it gives nothing. */
    static Type[] argumentsOf(Class<?> type, Class<?> generic) {
        Types found = of(type).upTo(generic);
        if (found == null) return null;
        TypeVariable<?>[] parameters = generic.getTypeParameters();
        Type[] arguments = new Type[parameters.length];
        for (int i = 0; i < parameters.length; i++) {
            arguments[i] = found.variables.get(parameters[i]);
            // The interface was named without parameters.
            if (arguments[i] == null) return null;
        }
        return arguments;
    }

    @Override
    public String toString() {
        return type.getTypeName();
    }
}
